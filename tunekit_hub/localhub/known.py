"""The words of a card's front matter that the Hub takes from a closed list."""

from __future__ import annotations

import json
from importlib import resources

LICENSES = frozenset(
    json.loads(resources.files("tunekit_hub.verdicts").joinpath("licenses.json").read_text(encoding="utf-8"))[
        "licenses"
    ]
)

PIPELINES = {
    "ForCausalLM": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "ForMaskedLM": "fill-mask",
    "ForQuestionAnswering": "question-answering",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
}
"""The ending of a transformers class → what it is for, when the card does not say."""

LARGE_FILES = (
    *("7z", "bz2", "gz", "rar", "tar", "tgz", "xz", "zip", "zst"),
    *("bin", "ckpt", "gguf", "h5", "model", "msgpack", "onnx", "pb", "pt", "pth", "safetensors"),
    *("arrow", "joblib", "npy", "npz", "parquet", "pickle", "pkl"),
)
"""Endings that go to large-file storage in a new repo."""

GIT_ATTRIBUTES = "".join(f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in LARGE_FILES)
