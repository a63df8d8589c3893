"""What the Hub said of public models, kept for an hour. Answers about access are never kept.

One file per endpoint and id, beside the Hub cache. What is kept is the Hub's own answer, not what was made of
it: the registry may change in between.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from tunekit_hub.hub.facts import Answer

LIFETIME = 3600.0  # seconds


def load(endpoint: str, repo_id: str) -> Answer | None:
    """What was said less than an hour ago, if anything was."""
    try:
        kept = json.loads(_path(endpoint, repo_id).read_text(encoding="utf-8"))
        fresh = 0 <= time.time() - kept["at"] < LIFETIME and kept["endpoint"] == endpoint
        return Answer.model_validate(kept["answer"]) if fresh else None
    except (OSError, ValueError, KeyError, TypeError, ValidationError):  # none, or of another version
        return None


def save(endpoint: str, repo_id: str, answer: Answer) -> None:
    """Keep a public answer; a disk that does not take it costs a question next time, and nothing else."""
    path = _path(endpoint, repo_id)
    text = json.dumps({"at": time.time(), "endpoint": endpoint, "answer": answer.model_dump(mode="json")})
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        os.replace(file.name, path)


def forget(endpoint: str, repo_id: str) -> None:
    """Drop what was kept of a model."""
    with suppress(OSError):
        _path(endpoint, repo_id).unlink(missing_ok=True)


def _path(endpoint: str, repo_id: str) -> Path:
    from huggingface_hub import constants

    def plain(text: str) -> str:
        return re.sub(r"[^a-z0-9.]+", "-", text.lower())

    folder = Path(constants.HF_HUB_CACHE).parent / "tunekit" / plain(endpoint) / "facts"
    return folder / f"{'--'.join(re.sub(r'[^a-z0-9._-]+', '-', part) for part in repo_id.lower().split('/'))}.json"
