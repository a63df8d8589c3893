"""Pull requests: a ref `refs/pr/N`, a record of who proposed what, and the merge."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import access
from tunekit_hub.localhub.context import Call, text
from tunekit_hub.localhub.refusals import Refusal, conflict, forbidden, unsupported
from tunekit_hub.localhub.repos import MAIN, Commit, Entry, Pull, Repo, now


def number(revision: str) -> int | None:
    """The N of `refs/pr/N`."""
    match = re.fullmatch(r"refs/pr/(\d+)", revision)
    return int(match[1]) if match else None


def next_number(repo: Repo) -> tuple[int, str]:
    """The number of the next pull request and its ref."""
    taken = [pull.num for pull in repo.record.pulls]
    taken += [found for ref in repo.refs() if (found := number(ref)) is not None]
    following = max(taken, default=0) + 1
    return following, f"refs/pr/{following}"


def record(repo: Repo, num: int, *, title: str, description: str, author: str) -> Pull:
    """Note a new pull request, whose ref is there already."""
    pull = Pull(num=num, title=title, description=description, author=author, date=now())
    repo.update(pulls=(*repo.record.pulls, pull))
    return pull


def _find(repo: Repo, num: int) -> Pull:
    for pull in repo.record.pulls:
        if pull.num == num:
            return pull
    raise Refusal(404, f"There is no discussion {num} in {repo.id}")


def check_author(call: Call, repo: Repo) -> None:
    """Further commits to a pull request come from its author or from who may write anyway.

    A token that only reads proposes nothing.
    """
    user = call.known_user()
    if not user.can_write:
        raise forbidden(f"{user.name} may not write with this token")
    num = number(call.param("revision"))
    if num is not None and _find(repo, num).author != user.name:
        access.check_write(user, repo)


async def create(call: Call) -> Response:
    """Open an empty pull request."""
    repo = call.repo()
    user = call.known_user()
    body = await call.json()
    if not body.get("pullRequest"):
        raise unsupported("discussions other than pull requests")
    if not user.can_write:
        raise forbidden(f"{user.name} may not write with this token")
    num, ref = next_number(repo)
    repo.set_ref(ref, repo.commit("main").id)
    description = text(body, "description", "")
    record(repo, num, title=text(body, "title"), description=description, author=user.name)
    return JSONResponse({"num": num, "url": f"{call.page_url(repo)}/discussions/{num}"})


async def details(call: Call) -> Response:
    """One pull request, with its commits."""
    repo = call.repo()
    pull = _find(repo, int(call.request.path_params["num"]))
    author = {"name": pull.author}
    head = repo.commit(f"refs/pr/{pull.num}")
    _, conflicts = _merged(repo, head)
    comment = {"edited": False, "hidden": False, "latest": {"raw": pull.description}}
    events: list[dict[str, Any]] = [
        {"id": "1", "type": "comment", "createdAt": pull.date, "author": author, "data": comment}
    ]
    for step in _own_commits(repo, head):
        data = {"subject": step.title, "oid": step.id}
        events.append({"id": step.id, "type": "commit", "createdAt": step.date, "author": author, "data": data})
    changes = {"base": MAIN, **({"mergeCommitId": pull.merged_as} if pull.merged_as else {})}
    return JSONResponse(
        {
            "num": pull.num,
            "title": pull.title,
            "author": author,
            "createdAt": pull.date,
            "status": pull.status,
            "repo": {"name": repo.id, "type": repo.kind},
            "isPullRequest": True,
            "changes": changes,
            "filesWithConflicts": conflicts if pull.status == "open" else [],
            "events": events,
        }
    )


def _own_commits(repo: Repo, head: Commit) -> list[Commit]:
    """The commits of a pull request that main did not have, oldest first."""
    on_main = {commit.id for commit in repo.history("main")}
    return [commit for commit in repo.history(head.id) if commit.id not in on_main][::-1]


def _merged(repo: Repo, head: Commit) -> tuple[dict[str, Entry], list[str]]:
    """Main with the pull request's changes, and the files that both sides changed differently."""
    main = repo.commit("main").tree
    on_main = {commit.id: commit for commit in repo.history("main")}
    base = next((on_main[c.id].tree for c in repo.history(head.id) if c.id in on_main), {})
    tree, conflicts = dict(main), []
    for path in sorted({*base, *head.tree}):
        theirs, ours, before = head.tree.get(path), main.get(path), base.get(path)
        if theirs in (before, ours):
            continue
        if ours != before:
            conflicts.append(path)
        elif theirs is None:
            del tree[path]
        else:
            tree[path] = theirs
    return tree, conflicts


async def merge(call: Call) -> Response:
    """Put the changes on main, as one commit."""
    repo = call.writable_repo()
    pull = _find(repo, int(call.request.path_params["num"]))
    if pull.status != "open":
        raise conflict(f"Pull request {pull.num} is {pull.status} already")
    with repo.storage.lock:
        tree, conflicts = _merged(repo, repo.commit(f"refs/pr/{pull.num}"))
        if conflicts:
            raise conflict(f"Main has changed the same files: {', '.join(conflicts[:5])}")
        made = repo.add_commit(MAIN, tree, call.known_user().name, f"{pull.title} (#{pull.num})")
        merged = pull.but(status="merged", merged_as=made.id)
        repo.update(pulls=tuple(merged if p.num == pull.num else p for p in repo.record.pulls))
    return JSONResponse({})


ROUTES = [
    ("POST", "/api/{kind:kind}/{repo:repo}/discussions", create),
    ("GET", "/api/{kind:kind}/{repo:repo}/discussions/{num:int}", details),
    ("POST", "/api/{kind:kind}/{repo:repo}/discussions/{num:int}/merge", merge),
]
