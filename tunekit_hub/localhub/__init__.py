"""A Hub on this machine: the Hugging Face Hub's protocol, served from a folder, on loopback.

The real `huggingface_hub` client talks to it through `HF_ENDPOINT`. It is a stand-in for demos, tests and
teams without internet, not a secured service.

    storage.py   blobs, JSON, the list of repos           repos.py    one repo: refs, commits, trees
    access.py    who may see, read and write what         refusals.py the errors, as the client knows them
    info.py      what the Hub says of a repo              cards.py    front matter, and what is wrong with it
    commits.py   commits from ndjson                      context.py  what every route needs
    read.py, trees.py, write.py, lfs.py, manage.py, pulls.py   the routes; app.py puts them together
    seed.py, weights.py   what a new local Hub can start with;   server.py   runs it
"""

from __future__ import annotations

from importlib import import_module

from tunekit_hub.extras import require

_PUBLIC = {"Storage": "storage", "create_app": "app", "serve": "server", "running": "server"}


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("local", "the local Hub")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
