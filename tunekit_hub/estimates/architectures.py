"""From a model's `config.json` to the numbers that memory and time follow from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tunekit_hub.facts import Architecture

# Keys of configs whose models change their logits after the output layer: Gemma 2, Granite, Cohere.
_AFTER_THE_HEAD = ("final_logit_softcapping", "logits_scaling", "logit_scale")


@dataclass(frozen=True)
class _Family:
    """What a `model_type` means beyond the numbers in its config."""

    kind: Literal["encoder", "decoder"]
    gated_mlp: bool
    tied: bool = True  # where the config does not say; files leave defaults out
    reserved: int = 0  # positions the table holds but a text cannot use
    projections: int = 4  # square attention matrices per layer, when all heads have their own keys
    attention: Literal["plain", "disentangled", "window"] = "plain"
    dropout: bool = False  # of attention scores, where the config does not say


_BERT = _Family("encoder", gated_mlp=False, dropout=True)
_ROBERTA = replace(_BERT, reserved=2)
_LLAMA = _Family("decoder", gated_mlp=True, tied=False)
_GEMMA = _Family("decoder", gated_mlp=True)

_FAMILIES: dict[str, _Family] = {
    "bert": _BERT,
    "distilbert": _BERT,
    "electra": _BERT,
    "roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    # Queries, keys and values exist twice: for the window, and for the tokens that see everything.
    "longformer": replace(_ROBERTA, projections=7, attention="window"),
    "deberta-v2": replace(_BERT, attention="disentangled"),
    "modernbert": _Family("encoder", gated_mlp=True),
    "gpt2": _Family("decoder", gated_mlp=False),
    "gpt_neox": _Family("decoder", gated_mlp=False, tied=False),
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
    "smollm3": _Family("decoder", gated_mlp=True),
    "phi3": _LLAMA,
    "gemma": _GEMMA,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
}

# Architecture field → the keys that configs have used for it.
_KEYS = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers"),
    "hidden": ("hidden_size", "n_embd", "dim"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "vocab": ("vocab_size",),
    "context": ("max_position_embeddings", "n_positions"),
}


def architecture(config: Mapping[str, Any], parameters: int | None = None) -> Architecture | None:
    """The architecture a `config.json` describes, or None where it cannot be told.

    Args:
        config: The content of `config.json`.
        parameters: The exact count where it is known, with tied matrices counted once. Else it is estimated
            from the sizes, to within two per cent.
    """
    family = _FAMILIES.get(str(config.get("model_type")))
    sizes = {field: _number(config, *keys) for field, keys in _KEYS.items()}
    if family is None or None in sizes.values():
        return None
    hidden, heads = sizes["hidden"] or 0, sizes["heads"] or 0
    tied = config.get("tie_word_embeddings")
    numbers = {
        **sizes,
        "context": (sizes["context"] or 0) - family.reserved,
        "kv_heads": _number(config, "num_key_value_heads") or heads,
        # GPT-2 leaves the width out where it is four times the hidden size.
        "intermediate": _number(config, "intermediate_size", "n_inner", "hidden_dim") or 4 * hidden,
    }
    shape = Architecture.model_validate(
        {
            "kind": family.kind,
            "gated_mlp": family.gated_mlp,
            "tied": family.tied if tied is None else bool(tied),
            "parameters": parameters or 0,
            "projections": family.projections,
            "attention": family.attention,
            "attention_dropout": family.dropout if (drop := _dropout(config)) is None else drop > 0,
            "window": _window(config) if family.attention == "window" else 0,
            "bounded_logits": any(config.get(key) for key in _AFTER_THE_HEAD),
            **numbers,
        }
    )
    return shape if parameters else shape.but(parameters=_estimate(shape, config, family))


def _number(config: Mapping[str, Any], *keys: str) -> int | None:
    """The first of these keys that holds a positive whole number."""
    values = (config.get(key) for key in keys)
    return next((v for v in values if isinstance(v, int) and not isinstance(v, bool) and v > 0), None)


def _dropout(config: Mapping[str, Any]) -> float | None:
    """The share of attention scores that is dropped in training; None where the config leaves it out."""
    values = (config.get(key) for key in ("attention_probs_dropout_prob", "attention_dropout"))
    return next((float(v) for v in values if isinstance(v, int | float)), None)


def _window(config: Mapping[str, Any]) -> int:
    """Tokens that one token attends to, in the layer where they are most."""
    sizes = config.get("attention_window", 512)
    return max(sizes) if isinstance(sizes, list) else int(sizes)


def _estimate(shape: Architecture, config: Mapping[str, Any], family: _Family) -> int:
    """The parameters of the weight matrices; biases and norms, well under one per cent, are left out."""
    head = _number(config, "head_dim") or shape.hidden // shape.heads
    square = shape.hidden * head * shape.heads
    attention = (family.projections - 2) * square + 2 * shape.hidden * head * shape.kv_heads
    mlp = (3 if shape.gated_mlp else 2) * shape.hidden * shape.intermediate
    tables = shape.vocab if shape.kind == "encoder" or shape.tied else 2 * shape.vocab
    rotary = shape.kind == "decoder" and config.get("model_type") != "gpt2"
    positions = 0 if rotary or config.get("model_type") == "modernbert" else shape.context
    return shape.layers * (attention + mlp) + (tables + positions) * shape.hidden
