"""Routes that change files: preupload, commit, branches, tags, and the check of a card."""

from __future__ import annotations

import base64
import binascii
from fnmatch import fnmatch
from typing import Any

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import cards, commits, lfs, pulls
from tunekit_hub.localhub.context import Call, objects, text
from tunekit_hub.localhub.known import GIT_ATTRIBUTES
from tunekit_hub.localhub.refusals import bad_request, conflict, forbidden
from tunekit_hub.localhub.repos import MAIN, Commit, Repo

_LARGEST_COMMIT = 512 << 20  # bytes of all its small files together, in base64
LARGE = 10 * 2**20  # bytes; from here on every file is a large file


async def validate_yaml(call: Call) -> Response:
    """What is wrong with a card. Open to all, like on the Hub."""
    body = await call.json()
    errors, warnings = cards.validate(text(body, "content"), text(body, "repoType", "model"))
    return JSONResponse(
        {"errors": [{"message": e} for e in errors], "warnings": [{"message": w} for w in warnings]},
        status_code=400 if errors else 200,
    )


def _for_writing(call: Call) -> Repo:
    """The repo, if the caller may commit; a pull request may come from anybody who sees it."""
    if call.flag("create_pr") or pulls.number(call.param("revision")) is not None:
        call.known_user()
        repo = call.repo()
        pulls.check_author(call, repo)
        return repo
    return call.writable_repo()


async def preupload(call: Call) -> Response:
    """For each file: how to send it, whether `.gitignore` rules it out, and what is there now."""
    repo = _for_writing(call)
    commit = call.commit(repo)
    body = await call.json()
    patterns = _large_patterns(repo, commit)
    ignored = _ignored(repo, commit) if body.get("gitIgnore") is None else text(body, "gitIgnore").splitlines()
    return JSONResponse({"files": [_mode(item, commit, patterns, ignored) for item in objects(body, "files")]})


def _mode(item: dict[str, Any], commit: Commit, patterns: list[str], ignored: list[str]) -> dict[str, Any]:
    path = text(item, "path")
    try:
        sample = base64.b64decode(text(item, "sample", ""))
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"The sample of {path} is not base64") from error
    by_name = any(fnmatch(path, pattern) or fnmatch(path.split("/")[-1], pattern) for pattern in patterns)
    size = item.get("size", 0)
    large = by_name or b"\0" in sample or not isinstance(size, int) or size >= LARGE
    answer = {
        "path": path,
        "uploadMode": "lfs" if large else "regular",
        "shouldIgnore": _is_ignored(path, ignored),
    }
    there = commit.tree.get(path)
    if there and there.lfs == large:  # same bytes then mean the same id, and the client leaves the file out
        answer["oid"] = there.sha256 if large else there.oid
    return answer


def _large_patterns(repo: Repo, commit: Commit) -> list[str]:
    entry = commit.tree.get(".gitattributes")
    attributes = repo.content(entry).decode("utf-8", "replace") if entry else GIT_ATTRIBUTES
    return [line.split()[0] for line in attributes.splitlines() if "filter=lfs" in line.split()[1:]]


def _ignored(repo: Repo, commit: Commit) -> list[str]:
    """The `.gitignore` of the repo, which holds where the caller brings none."""
    entry = commit.tree.get(".gitignore")
    return repo.content(entry).decode("utf-8", "replace").splitlines() if entry and entry.size < LARGE else []


def _is_ignored(path: str, patterns: list[str]) -> bool:
    """Names and folders of a `.gitignore`; the last pattern that fits decides."""
    ignored = False
    parts = path.split("/")
    tops = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    for line in (line.strip() for line in patterns):
        pattern = line.removeprefix("!").rstrip("/")
        if not pattern or line.startswith("#"):
            continue
        names = tops if "/" in pattern else parts
        if any(fnmatch(name, pattern.lstrip("/")) for name in names):
            ignored = not line.startswith("!")
    return ignored


async def commit(call: Call) -> Response:
    """Everything in one step; nothing is visible before the ref moves."""
    repo = _for_writing(call)
    user = call.known_user()
    change = commits.parse(await call.body(_LARGEST_COMMIT))
    revision = call.param("revision")
    start = call.commit(repo)
    number: int | None = None
    if call.flag("create_pr"):
        number, ref = pulls.next_number(repo)
    else:
        ref = repo.find_ref(revision) or ""
        if not ref.startswith(("refs/heads/", "refs/pr/")):
            raise bad_request(f"{revision} is not a branch")

    def may_use(sha256: str) -> bool:
        return lfs.may_use(call, repo, sha256)

    made = commits.apply(repo, change, ref=ref, start=start.id, author=user.name, may_use=may_use)
    address = call.page_url(repo)
    body: dict[str, Any] = {"success": True, "commitOid": made.id, "commitUrl": f"{address}/commit/{made.id}"}
    if number is not None:
        pulls.record(repo, pulls.new(number, change.title, change.message, user.name))
        body["pullRequestUrl"] = f"{address}/discussions/{number}"
    return JSONResponse(body)


async def create_branch(call: Call) -> Response:
    """A new branch, from main or where asked."""
    body = await call.json()
    repo = call.writable_repo()
    start = repo.commit(text(body, "startingPoint", "main"))
    return _new_ref(repo, f"refs/heads/{call.param('name')}", start)


async def delete_branch(call: Call) -> Response:
    """Any branch but main."""
    repo, ref = call.writable_repo(), f"refs/heads/{call.param('name')}"
    if ref == MAIN:
        raise forbidden("The branch main cannot be deleted")
    repo.delete_ref(ref)
    return JSONResponse({})


async def create_tag(call: Call) -> Response:
    """A name for a commit."""
    body = await call.json()
    repo = call.writable_repo()
    name, message = text(body, "tag"), text(body, "message", "")
    answer = _new_ref(repo, f"refs/tags/{name}", call.commit(repo))
    if message:
        repo.update(tags={**repo.reload().tags, name: message})
    return answer


async def delete_tag(call: Call) -> Response:
    """The commit stays."""
    repo, name = call.writable_repo(), call.param("name")
    repo.delete_ref(f"refs/tags/{name}")
    if name in repo.record.tags:
        repo.update(tags={tag: said for tag, said in repo.reload().tags.items() if tag != name})
    return JSONResponse({})


def _new_ref(repo: Repo, ref: str, start: Commit) -> Response:
    if ref in repo.refs():
        raise conflict(f"Reference {ref} already exists")
    repo.set_ref(ref, start.id)
    return JSONResponse({})


ROUTES = [
    ("POST", "/api/validate-yaml", validate_yaml),
    ("POST", "/api/{kind:kind}/{repo:repo}/preupload/{revision:revision}", preupload),
    ("POST", "/api/{kind:kind}/{repo:repo}/commit/{revision:revision}", commit),
    ("POST", "/api/{kind:kind}/{repo:repo}/branch/{name}", create_branch),
    ("DELETE", "/api/{kind:kind}/{repo:repo}/branch/{name}", delete_branch),
    ("POST", "/api/{kind:kind}/{repo:repo}/tag/{revision:revision}", create_tag),
    ("DELETE", "/api/{kind:kind}/{repo:repo}/tag/{name}", delete_tag),
]
