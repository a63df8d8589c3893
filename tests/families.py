"""The chat templates of four families: each as a template, as plain Python, and with a tokenizer of its kind.

The Python says in pieces of (text, trained) what the template is to write, so that neither the template nor our
way of finding answers in it is judged by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Piece = tuple[str, bool]  # text, and whether it carries loss
SMOL_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def _alternating(turns) -> None:
    for place, turn in enumerate(turns):
        if turn["role"] != ("user", "assistant")[place % 2]:
            raise ValueError("roles must alternate")


def llama2(turns, end="</s>") -> list[Piece]:
    """Strips every content; the system text goes into the first question; a BOS before each question."""
    system = ""
    if turns[0]["role"] == "system":
        system, turns = f"<<SYS>>\n{turns[0]['content']}\n<</SYS>>\n\n", turns[1:]
    _alternating(turns)
    made = []
    for place, turn in enumerate(turns):
        if turn["role"] == "user":
            made.append((f"<s>[INST] {((system if place == 0 else '') + turn['content']).strip()} [/INST]", False))
        else:
            made.append((f" {turn['content'].strip()} {end}", True))
    return made


def mistral(turns, end="</s>") -> list[Piece]:
    """One BOS; refuses system turns and roles that do not alternate; no space before an answer."""
    _alternating(turns)
    made: list[Piece] = [("<s>", False)]
    for turn in turns:
        mine = turn["role"] == "assistant"
        made.append((turn["content"] + end, True) if mine else (f"[INST] {turn['content']} [/INST]", False))
    return made


def zephyr(turns, end="</s>") -> list[Piece]:
    """A line with the role before each turn, the EOS and a line feed after it; no BOS."""
    made = []
    for turn in turns:
        made.append((f"<|{turn['role']}|>\n", False))
        made += [(turn["content"] + end, turn["role"] == "assistant"), ("\n", False)]
    return made


def chatml(turns, end="<|im_end|>") -> list[Piece]:
    """SmolLM2's: the role in the first line of each turn; a system turn of its own where there is none."""
    made: list[Piece] = []
    if turns[0]["role"] != "system":
        made.append((f"<|im_start|>system\n{SMOL_SYSTEM}{end}\n", False))
    for turn in turns:
        made.append((f"<|im_start|>{turn['role']}\n", False))
        made += [(turn["content"] + end, turn["role"] == "assistant"), ("\n", False)]
    return made


@dataclass(frozen=True)
class Family:
    """How a family's template writes a chat."""

    template: str
    pieces: Callable[..., list[Piece]]
    sentencepiece: bool  # its tokenizer; else bytes
    strict: bool  # roles must alternate
    system: bool  # a first system turn is taken

    def tokenizer(self):
        """A tokenizer of the family's kind, with its template."""
        made = _sentencepiece() if self.sentencepiece else _bytes()
        made.chat_template = self.template
        return made


FAMILIES = {
    "llama-2": Family(
        """{% if messages[0].role == 'system' %}{% set rest = messages[1:] %}
{% set head = '<<SYS>>\\n' ~ messages[0].content ~ '\\n<</SYS>>\\n\\n' %}
{% else %}{% set rest = messages %}{% set head = '' %}{% endif %}
{% for turn in rest %}
{% if turn.role != ['user', 'assistant'][loop.index0 % 2] %}{{ raise_exception('no turns') }}{% endif %}
{% if turn.role == 'user' %}
{{- bos_token ~ '[INST] ' ~ ((head if loop.first else '') ~ turn.content).strip() ~ ' [/INST]' -}}
{% else %}{{- ' ' ~ turn.content.strip() ~ ' ' ~ eos_token -}}{% endif %}
{% endfor %}""",
        llama2,
        sentencepiece=True,
        strict=True,
        system=True,
    ),
    "mistral": Family(
        """{{ bos_token }}{% for turn in messages %}
{%- if turn.role != ['user', 'assistant'][loop.index0 % 2] %}{{ raise_exception('no turns') }}{% endif %}
{%- if turn.role == 'user' %}{{ '[INST] ' ~ turn.content ~ ' [/INST]' }}
{%- else %}{{ turn.content ~ eos_token }}{% endif %}{% endfor %}""",
        mistral,
        sentencepiece=True,
        strict=True,
        system=False,
    ),
    "zephyr": Family(
        """{% for turn in messages %}{{ '<|' ~ turn.role ~ '|>\\n' ~ turn.content ~ eos_token }}
{% if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}
{% endif %}{% endfor %}""",
        zephyr,
        sentencepiece=True,
        strict=False,
        system=True,
    ),
    "chatml": Family(
        "{% for turn in messages %}{% if loop.first and turn.role != 'system' %}{{ '<|im_start|>system\\n"
        + SMOL_SYSTEM
        + "<|im_end|>\\n' }}{% endif %}{{ '<|im_start|>' ~ turn.role ~ '\\n' ~ turn.content ~ '<|im_end|>\\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
        chatml,
        sentencepiece=False,
        strict=False,
        system=True,
    ),
}

# What people write, and what breaks templates and tokenizers.
PIECES = (
    *("What is it?", "assistant", "user", "system", "[x]", "x" * 40, "a b", "{{ eos }}", "<b>bold</b>"),
    *("])", ")", "é", "e\u0301", "日本語", "שלום", "\u202eabc\u202c", "🌱", "👩\u200d🚀", "\u00a0", "\n"),
    *("\n\n", "  ", "\t", "2024"),
)
LOOKALIKES = ("<|im_end|>", "<|im_start|>", "[INST]", "[/INST]", "<s>", "</s>", "<|user|>", "<<SYS>>")


def text(chance: random.Random, *, marks: bool = False) -> str:
    """A random content; sometimes none."""
    if chance.random() < 0.05:
        return ""
    return "".join(chance.choices(PIECES + (LOOKALIKES if marks else ()), k=chance.randint(1, 6)))


def chat(chance: random.Random, *, marks: bool = False) -> list[dict[str, str]]:
    """A random chat that ends with an answer: a system turn or none, roles that may repeat, any content.

    With `marks`, questions may hold what only a template should write.
    """
    roles = ["system"] if chance.random() < 0.4 else []
    for _ in range(chance.randint(1, 4)):
        roles += ["user"] * chance.choice((1, 1, 1, 2)) + ["assistant"] * chance.choice((1, 1, 1, 2))
    return [{"role": role, "content": text(chance, marks=marks and role != "assistant")} for role in roles]


def _sentencepiece():
    """Characters and bytes, spaces as `▁`, one put first: as the tokenizers of Llama-2, TinyLlama and Mistral."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors
    from transformers import PreTrainedTokenizerFast

    specials = ["<unk>", "<s>", "</s>"]
    letters = [chr(code) for code in range(0x21, 0x7F)]
    merges = [("]", ")"), ("a", "s"), ("\n", "\n"), ("▁", "a"), ("▁", "▁"), ("I", "N"), ("IN", "S"), ("INS", "T")]
    pieces = [*specials, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "\n", *letters]
    pieces += [a + b for a, b in merges]
    core = Tokenizer(
        models.BPE(
            vocab={piece: i for i, piece in enumerate(dict.fromkeys(pieces))},
            merges=merges,
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    core.add_special_tokens(specials)
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def _bytes():
    """Bytes with a few merges, as SmolLM2's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    merges = [("Ċ", "Ċ"), ("]", ")"), ("Ġ", "a"), ("Ġ", "Ġ"), ("ð", "Ł")]
    pieces = [*specials, *sorted(pre_tokenizers.ByteLevel.alphabet()), *(a + b for a, b in merges)]
    core = Tokenizer(models.BPE(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges))
    core.add_special_tokens(specials)
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|im_start|>", eos_token="<|im_end|>", unk_token="<|endoftext|>"
    )
