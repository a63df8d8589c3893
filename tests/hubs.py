"""A local Hub for tests, with users, and the client's defaults led to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TOKENS = {"you": "hf_" + "y" * 34, "ada": "hf_" + "a" * 34}
USERS = {token: user for user, token in TOKENS.items()}


@contextmanager
def standing(folder: Path) -> Iterator[Any]:
    """A running local Hub in a fresh folder, with the users "you" and "ada".

    `.endpoint`, `.tokens[user]`, `.storage`, and `.log`: a list of (method, path, status).
    The parts of huggingface_hub that take no endpoint use this one too, and keep in the folder what they fetch.
    """
    from tunekit_hub.localhub import running

    with pytest.MonkeyPatch.context() as patch, running(folder / "local-hub", USERS) as hub:
        lead(patch, hub.endpoint, folder / "hf-cache")
        yield hub


def lead(patch: pytest.MonkeyPatch, endpoint: str, cache: Path) -> None:
    """Have huggingface_hub take `endpoint` for the Hub, and `cache` for its cache."""
    from huggingface_hub import constants, hf_api

    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, endpoint)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    patch.setattr(constants, "ENDPOINT", endpoint)
    patch.setattr(constants, "HF_HUB_CACHE", str(cache))
    patch.setattr(hf_api.api, "endpoint", endpoint)


def upload(hub: Any, repo_id: str, folder: Path) -> None:
    """The model in a folder as a repository of ada's, with a card."""
    from huggingface_hub import HfApi

    (folder / "README.md").write_text("---\nlicense: apache-2.0\nlanguage: en\n---\n# Tiny\n")
    api = HfApi(endpoint=hub.endpoint, token=hub.tokens["ada"])
    api.create_repo(repo_id)
    api.upload_folder(repo_id=repo_id, folder_path=folder)
