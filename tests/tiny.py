"""Tiny real models, built in memory: a byte-level tokenizer and a two-layer Llama. No download."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = {
    "chatml": (
        "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\n"
        "Be kind.<|im_end|>\n{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "zephyr": (
        "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
    ),
    "inst": (
        "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
        "{% elif m['role'] == 'assistant' %} {{ m['content'] }}{{ eos_token }}"
        "{% else %}{{ raise_exception('only user and assistant') }}{% endif %}{% endfor %}"
    ),
    # Drops what the assistant thought in earlier turns, as some reasoning models do.
    "forgetful": (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{% if m['role'] == 'assistant' and not loop.last %}…{% else %}{{ m['content'] }}{% endif %}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "no-eos": "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}",
}


def tokenizer(template: str = "chatml"):
    """A byte-level tokenizer with the chat template named."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate([*specials, *alphabet])}, merges=[]))
    core.add_special_tokens(specials)
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|im_start|>", eos_token="<|im_end|>", unk_token="<|endoftext|>"
    )
    made.chat_template = TEMPLATES[template]
    return made


def save_model(folder: Path, *, seed: int = 0, template: str = "chatml") -> Path:
    """A random two-layer Llama with its tokenizer, as a Hub repo would hold it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    words = tokenizer(template)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def chats(count: int) -> list[dict]:
    """Short chats about colours; every third has two turns."""
    colours = ["red", "green", "blue", "grey", "pink"]
    made = []
    for i in range(count):
        turns = [
            {"role": "user", "content": f"What is number {i}?"},
            {"role": "assistant", "content": f"Number {i} is {colours[i % 5]}."},
        ]
        if i % 3 == 0:
            turns += [
                {"role": "user", "content": "And the next?"},
                {"role": "assistant", "content": f"That is {colours[(i + 1) % 5]}."},
            ]
        made.append({"messages": turns})
    return made


class FolderHub:
    """A Hub whose only model lies in a folder; for tests that are not about the Hub."""

    def __init__(self, folder: Path):
        self.folder = folder

    def fetch(self, repo_id, revision, *, weights=True):
        return self.folder
