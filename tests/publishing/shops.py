"""A Hub with tiny base models, and what tests of publishing ask of it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubs import TOKENS

CHAT, ENCODER = "ada/tiny-chat", "ada/tiny-bert"


@dataclass(frozen=True)
class Shop:
    """A running Hub, and runs to publish there. Run folders are shared: copy before changing one."""

    local: Any
    folder: Path

    def hub(self, user: str = "you"):
        from tunekit_hub.hub import Hub

        return Hub(TOKENS[user], self.local.endpoint)

    def api(self, user: str = "you"):
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.local.endpoint, token=TOKENS[user])

    def run_dir(self, name: str) -> Path:
        return self.folder / name

    def evaluation(self, name: str):
        from tunekit_hub import runfile

        return runfile.load(self.run_dir(name)).evaluation

    def env(self, home: Path) -> dict[str, str]:
        """Of a user's own process, with an empty cache."""
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        own = {"HF_HOME": str(home), "HF_ENDPOINT": self.local.endpoint, "HF_TOKEN": TOKENS["you"]}
        return clean | own


def writes(local_hub) -> list[str]:
    """What was asked of the Hub that changes something; the card's check does not."""
    asked = [f"{method} {path}" for method, path, _ in local_hub.log if method not in ("GET", "HEAD")]
    return [one for one in asked if not re.search("validate-yaml|paths-info", one)]
