"""A Hub on this machine: the Hugging Face Hub's protocol, served from a folder, on loopback.

The real `huggingface_hub` client talks to it through `HF_ENDPOINT`. It is a stand-in for demos, tests and
teams without internet, not a secured service.

    storage.py   blobs, JSON, the list of repos           repos.py    one repo: refs, commits, trees
    access.py    who may see, read and write what         refusals.py the errors, as the client knows them
    info.py      what the Hub says of a repo              cards.py    front matter, and what is wrong with it
    commits.py   commits from ndjson                      context.py  what every route needs
    pages.py, more_pages.py, sign_in.py, markdown.py      what a person sees in a browser
    oauth.py, oauth_apps.py, oauth_tokens.py              signing in to a Space with an account of this Hub
    seed.py, weights.py   what a new local Hub can start with;   server.py   runs it

The routes are in read, trees, write, lfs, lfs_parts, manage, pulls, discussions, collections, collection_items,
spaces and jobs; app.py puts them together. docs/local-hub.md says what is answered and what is not.
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
