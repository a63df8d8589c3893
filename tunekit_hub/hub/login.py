"""Which Hub, with which token, and where what it sends is kept. Endpoints do not mix."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tunekit_hub.errors import InvalidToken, UsageError
from tunekit_hub.model_files import complete

DEFAULT = "https://huggingface.co"


def normal(endpoint: str | None) -> str:
    """The address of the Hub: as given, else of `HF_ENDPOINT`, else the public one; without a slash at its end."""
    address = (endpoint or os.environ.get("HF_ENDPOINT") or DEFAULT).strip().rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"`{address}` is no address of a Hub", f"write it like `{DEFAULT}`")
    return address


def find_token(token: str | Literal[False] | None, endpoint: str) -> str | None:
    """The token as given, else of `HF_TOKEN`, else the saved one; a saved one only for the default Hub.

    Args:
        token: The caller's own; False for none at all.
        endpoint: The Hub it will be sent to.
    """
    if token is False:
        return None
    found = token or os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    if not found and endpoint == DEFAULT:
        from huggingface_hub import get_token

        found = get_token()
    found = (found or "").strip()
    # An HTTP library would quote the whole header in its complaint.
    if found and not re.fullmatch(r"[!-~]+", found):
        raise InvalidToken("the token holds characters that no token has", "copy it again, on one line")
    return found or None


def is_loopback(endpoint: str) -> bool:
    """Whether this Hub runs on this machine."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, not a number
        return host == "localhost"


def cache_dir(endpoint: str) -> Path:
    """Where files of this Hub are kept: huggingface_hub's cache goes by repository id alone."""
    from huggingface_hub import constants

    shared = Path(constants.HF_HUB_CACHE)
    if endpoint == DEFAULT:
        return shared
    return shared.parent / "tunekit" / re.sub(r"[^a-z0-9.]+", "-", endpoint.lower())


def snapshots(endpoint: str, repo_id: str) -> Path:
    """The folder with a folder for each commit of a model that was fetched."""
    return cache_dir(endpoint) / f"models--{repo_id.replace('/', '--')}" / "snapshots"


def newest_snapshot(endpoint: str, repo_id: str) -> Path | None:
    """The folder of the commit whose weights were fetched last, if any were."""
    folder = snapshots(endpoint, repo_id)
    commits = [commit for commit in folder.iterdir() if complete(commit)] if folder.is_dir() else []
    return max(commits, key=lambda commit: commit.stat().st_mtime, default=None)
