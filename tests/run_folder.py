"""A run folder as training and evaluation leave it, with a tiny fake adapter."""

from __future__ import annotations

import json
from pathlib import Path

from records import REVISION

ANSWERS = (
    {
        "prompt": "Where is my parcel?",
        "untuned": "I am a language model and cannot know that.",
        "tuned": "Please give me your order number, and I will look it up.",
        "reference": "Could you tell me the order number?",
    },
    {
        "prompt": "Can I return a lamp?",
        "untuned": "A lamp is a device that makes light. Lamps are used in many rooms.",
        "tuned": "Yes, within 30 days. The label is in the box.",
        "reference": "Yes, you have 30 days.",
    },
    {
        "prompt": "Do you ship to Norway?",
        "untuned": "Norway is a country.",
        "tuned": "We do. It takes four to six days.",
        "reference": "Yes, four to six days.",
    },
)


def make_run_folder(folder: Path) -> Path:
    """A run folder whose `model/` holds a tiny LoRA adapter and the files of its tokenizer."""
    model = folder / "model"
    model.mkdir(parents=True)
    adapter = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 16, "revision": None}
    adapter["base_model_name_or_path"] = str(folder / "snapshots" / REVISION)
    (model / "adapter_config.json").write_text(json.dumps(adapter))
    (model / "adapter_model.safetensors").write_bytes(safetensors_bytes())
    (model / "tokenizer.json").write_text('{"version": "1.0"}')
    (model / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}')
    (model / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    lines = "".join(json.dumps(answer) + "\n" for answer in ANSWERS)
    (folder / "answers.jsonl").write_text(lines)
    return folder


def safetensors_bytes(metadata: dict[str, str] | None = None) -> bytes:
    """The smallest legal safetensors file: one float."""
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({"__metadata__": metadata or {"format": "pt"}, "weight": tensor}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + b"\0" * 4
