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


def chat_plan(folder: Path, count: int, **settings):
    """A Hub of a tiny chat model, and a plan of two passes over so many chats."""
    import json

    import records as made

    import tunekit_hub as tk
    from tunekit_hub import profiling

    hub = FolderHub(save_model(folder / "base"))
    data = folder / "chats.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in chats(count)))
    recommendation = made.make_recommendation(profiling.profile(data))
    request = made.make_request(hardware=made.make_hardware(bf16=False), max_time=None)
    selection = made.make_selection(recommendation, request=request)
    return hub, tk.plan(selection, hub=hub, **({"epochs": 2, "learning_rate": 5e-3} | settings))


class FolderHub:
    """A Hub whose only model lies in a folder; for tests that are not about the Hub."""

    def __init__(self, folder: Path):
        self.folder = folder

    def fetch(self, repo_id, revision, *, weights=True):
        return self.folder


WORDS = (
    "the",
    "a",
    "is",
    "was",
    "in",
    "red",
    "green",
    "blue",
    "grey",
    "pink",
    "good",
    "bad",
    "dull",
    "fine",
    "old",
)
WORDS += ("new", "cup", "film", "book", "town", "river", "i", "saw", "we")


def save_encoder(folder: Path, family: str = "bert", *, seed: int = 0) -> Path:
    """A random two-layer encoder without a head and its tokenizer, as a Hub repo would hold them.

    Families: bert and distilbert (word pieces), roberta (byte-level), deberta-v2 (words begun with `▁`).
    """
    import torch
    import transformers

    words = {"roberta": _byte_level, "deberta-v2": _metaspace}.get(family, _word_pieces)()
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    if family == "distilbert":
        size = {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4}
    name = {"bert": "Bert", "distilbert": "DistilBert", "roberta": "Roberta", "deberta-v2": "DebertaV2"}[family]
    known = {"vocab_size": len(words), "pad_token_id": words.pad_token_id, "max_position_embeddings": 128}
    config = getattr(transformers, f"{name}Config")(**known, **size)
    torch.manual_seed(seed)
    getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _word_pieces():
    from transformers import BertTokenizer

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + list("0123456789.,!?-@")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{one}" for one in letters)]
    pieces += [word for word in WORDS if word not in pieces]
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, model_max_length=120)


def _byte_level():
    """Bytes, and each of `WORDS` and a full stop with the space before it, as merges from the left."""
    from tokenizers import pre_tokenizers
    from transformers import RobertaTokenizer

    spaced = [f"Ġ{word}" for word in (*WORDS, ".")]
    merges = dict.fromkeys((word[:i], word[i]) for word in spaced for i in range(1, len(word)))
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocabulary = [*specials, *sorted(pre_tokenizers.ByteLevel.alphabet()), *(a + b for a, b in merges)]
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    return RobertaTokenizer(vocab=ids, merges=list(merges), model_max_length=120)


def _metaspace():
    from transformers import DebertaV2Tokenizer

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + list("0123456789.,!?-@")
    pieces = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "▁", *(f"▁{word}" for word in WORDS), *letters, "[MASK]"]
    return DebertaV2Tokenizer(vocab=[(piece, -float(i > 4)) for i, piece in enumerate(dict.fromkeys(pieces))])


def encoder_plan(task: str, shape: str, **changes):
    """A plan for a tiny encoder on two cores; no row of the profile is looked at."""
    import records as made

    recommendation = made.make_recommendation(made.make_profile(task=task, shape=shape))
    architecture = made.make_architecture(kind="encoder", parameters=100_000, vocab=200, context=120)
    request = made.make_request(hardware=made.make_hardware(bf16=False), task=task)
    selection = made.make_selection(recommendation, request=request, architecture=architecture, method="full")
    fields = {"trainer": "encoder", "method": "full", "precision": "fp32", "max_tokens": 64, "epochs": 4.0}
    fields |= {"batch_size": 8, "accumulation": 1, "learning_rate": 3e-3, "patience": 2, "class_weights": False}
    fields |= {"lora_rank": None, "lora_alpha": None, "time_limit": None, "warmup": 0.1}
    return made.make_plan(selection, **(fields | changes))


def lora(plan):
    """The same plan with adapters."""
    return plan.but(method="lora", lora_rank=8, lora_alpha=16, learning_rate=5e-3, epochs=12.0, patience=12)


def opinions(count: int, seed: int = 0) -> list:
    """Short texts that are "praise" or "blame" by one of their words."""
    import random

    from tunekit_hub.labelled import Labelled

    chance = random.Random(seed)
    made = []
    for i in range(count):
        kind = ("praise", "blame")[i % 2]
        said = chance.choice(["good", "fine"] if kind == "praise" else ["bad", "dull"])
        words = [
            *chance.sample(["the", "film", "book", "was", "we", "saw", "a", "town"], chance.randint(2, 5)),
            said,
        ]
        chance.shuffle(words)
        made.append(Labelled(" ".join(words), (kind,)))
    return made


def colours(count: int, seed: int = 0) -> list:
    """Texts with any number of the labels "red" and "large"; some with none."""
    import random

    from tunekit_hub.labelled import Labelled

    chance = random.Random(seed)
    made = []
    for _ in range(count):
        labels = tuple(name for name in ("new", "red") if chance.random() < 0.5)
        words = [*labels, *chance.sample(["the", "cup", "book", "is", "in", "a"], 3)]
        chance.shuffle(words)
        made.append(Labelled(" ".join(words), labels))
    return made


def sentences(count: int, seed: int = 0) -> list:
    """Sentences in which "red film", "blue book" and the like are things, and "new town" and such places."""
    import random

    from tunekit_hub.labelled import Tagged

    chance = random.Random(seed)
    made = []
    for _ in range(count):
        tokens, tags = ["we", "saw"], ["O", "O"]
        for _ in range(chance.randint(1, 2)):
            thing = chance.random() < 0.5
            first, second = (["red", "blue"], ["film", "book"]) if thing else (["old", "new"], ["town", "river"])
            tokens += ["the", chance.choice(first), chance.choice(second)]
            kind = "THING" if thing else "PLACE"
            tags += ["O", f"B-{kind}", f"I-{kind}"]
        made.append(Tagged((*tokens, "."), (*tags, "O")))
    return made
