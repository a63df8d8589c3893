"""Routes about file lists: trees, single paths, refs, history. Open to all even where the files are gated."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import unquote

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub.context import Call
from tunekit_hub.localhub.refusals import entry_not_found
from tunekit_hub.localhub.repos import Commit, Entry, Repo, pointer


def _file_item(path: str, entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "file", "oid": entry.oid, "size": entry.size, "path": path}
    if entry.lfs:
        size = len(pointer(entry.sha256, entry.size))
        item["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": size}
    return item


def _folder_item(path: str, commit: Commit) -> dict[str, Any]:
    inside = [(p, e.oid) for p, e in commit.tree.items() if p.startswith(f"{path}/")]
    return {"type": "directory", "oid": hashlib.sha1(repr(inside).encode()).hexdigest(), "size": 0, "path": path}


def _folders(commit: Commit) -> list[str]:
    parts = [path.split("/") for path in commit.tree]
    return sorted({"/".join(p[:depth]) for p in parts for depth in range(1, len(p))})


def _expanded(item: dict[str, Any], repo: Repo, commit: Commit) -> dict[str, Any]:
    """With the last commit that changed it. Nothing here is scanned, and it says so."""
    last = commit
    for older in repo.history(commit.id):
        if _oids(older, item["path"]) != _oids(commit, item["path"]):
            break
        last = older
    item["lastCommit"] = {"id": last.id, "title": last.title, "date": last.date}
    if item["type"] == "file":
        item["securityFileStatus"] = {"status": "unscanned", "avScan": None, "pickleImportScan": None}
    return item


def _oids(commit: Commit, path: str) -> list[tuple[str, str]]:
    return [(p, e.oid) for p, e in commit.tree.items() if p == path or p.startswith(f"{path}/")]


async def tree(call: Call) -> Response:
    """What is in a folder."""
    repo = call.repo()
    commit = call.commit(repo)
    root = unquote(call.request.path_params.get("path", "")).strip("/")
    start = f"{root}/" if root else ""
    folders = _folders(commit)
    if root and root not in folders:
        raise entry_not_found(root, commit.id)
    items = [_folder_item(path, commit) for path in folders if path.startswith(start)]
    items += [_file_item(path, entry) for path, entry in commit.tree.items() if path.startswith(start)]
    if not call.flag("recursive"):
        items = [item for item in items if "/" not in item["path"][len(start) :]]
    expand = call.flag("expand")
    if expand:
        items = [_expanded(item, repo, commit) for item in items]
    return call.page(items, 50 if expand else 1000)


async def paths_info(call: Call) -> Response:
    """The entries of some paths; those that do not exist are left out."""
    repo = call.repo()
    commit = call.commit(repo)
    form = await call.form()
    folders = _folders(commit)
    items = []
    for path in (p.strip("/") for p in form.get("paths", [])):
        if path in commit.tree:
            items.append(_file_item(path, commit.tree[path]))
        elif path in folders:
            items.append(_folder_item(path, commit))
    if form.get("expand", ["false"])[0].lower() in ("true", "1"):
        items = [_expanded(item, repo, commit) for item in items]
    return JSONResponse(items)


async def refs(call: Call) -> Response:
    """Branches, tags and, if asked for, pull requests."""
    repo = call.repo()
    found = repo.refs()

    def under(start: str, *, short: bool = True) -> list[dict[str, str]]:
        return [
            {"name": ref[len(start) :] if short else ref, "ref": ref, "targetCommit": oid}
            for ref, oid in found.items()
            if ref.startswith(start)
        ]

    tags = [{**tag, "message": repo.record.tags.get(tag["name"], "")} for tag in under("refs/tags/")]
    body = {"branches": under("refs/heads/"), "tags": tags, "converts": []}
    if call.flag("include_prs"):
        body["pullRequests"] = under("refs/pr/", short=False)
    return JSONResponse(body)


async def commits(call: Call) -> Response:
    """The history, newest first."""
    repo = call.repo()
    items = [
        {"id": c.id, "title": c.title, "message": c.message, "date": c.date, "authors": [{"user": c.author}]}
        for c in repo.history(call.commit(repo).id)
    ]
    return call.page(items, 100)


ROUTES = [
    ("GET", "/api/{kind:kind}/{repo:repo}/tree/{revision:revision}", tree),
    ("GET", "/api/{kind:kind}/{repo:repo}/tree/{revision:revision}/{path:path}", tree),
    ("POST", "/api/{kind:kind}/{repo:repo}/paths-info/{revision:revision}", paths_info),
    ("GET", "/api/{kind:kind}/{repo:repo}/refs", refs),
    ("GET", "/api/{kind:kind}/{repo:repo}/commits/{revision:revision}", commits),
]
