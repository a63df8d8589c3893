"""A small model repository, and a look into the local Hub's folder."""

from __future__ import annotations

import json
from pathlib import Path

from tunekit_hub import registry
from tunekit_hub.localhub.repos import open_repo

ROOT = Path(__file__).parent.parent.parent
SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"
CONFIG = json.dumps(registry.load().entry(SMOL).config).encode()
CARD = b"---\nlicense: mit\nlanguage:\n- en\n- fr\n---\nA model.\n"
FILES = {"README.md": CARD, "config.json": CONFIG, "model.safetensors": b"weights", "code.py": b"boom"}


def commits(local_hub, name: str) -> list[str]:
    """Ids of a repo's commits, the newest first."""
    return [commit.id for commit in open_repo(local_hub.storage, "model", name).history("main")]
