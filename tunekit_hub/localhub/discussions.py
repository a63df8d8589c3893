"""Discussions and pull requests: opening one, the list, one with all that happened, comments, title, status."""

from __future__ import annotations

import difflib
from typing import Any

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import access, pulls
from tunekit_hub.localhub.access import User
from tunekit_hub.localhub.context import Call, text
from tunekit_hub.localhub.refusals import Refusal, bad_request, conflict, forbidden
from tunekit_hub.localhub.repo_records import Event, Pull, now
from tunekit_hub.localhub.repos import MAIN, Commit, Entry, Repo

_PAGE = 10  # as on the Hub
_LONGEST = 1 << 16
_LARGEST_DIFF = 1 << 17  # bytes of a file whose lines are compared
_ONE = "/api/{kind:kind}/{repo:repo}/discussions/{num:number}"


async def create(call: Call) -> Response:
    """Open a discussion, or an empty pull request, which starts as a draft."""
    body = await call.json()
    repo = call.repo()
    user = access.check_discuss(call.user, repo)
    title, description = text(body, "title").strip(), _bounded(text(body, "description", ""))
    if not 3 <= len(title) <= 200:
        raise bad_request("A title has 3 to 200 characters")
    is_pull = bool(body.get("pullRequest"))
    num, ref = pulls.next_number(repo)
    if is_pull:
        repo.set_ref(ref, repo.commit("main").id)
    new = pulls.new(num, title, description, user.name)
    pulls.record(repo, new.but(status="draft" if is_pull else "open", is_pull=is_pull))
    return JSONResponse({"num": num, "url": f"{call.page_url(repo)}/discussions/{num}"})


def _bounded(said: str) -> str:
    if len(said) > _LONGEST:
        raise bad_request(f"A comment has at most {_LONGEST} characters")
    return said


async def listing(call: Call) -> Response:
    """Discussions and pull requests, the newest first, ten at a time."""
    repo, query = call.repo(), call.request.query_params
    wanted, status, author = query.get("type", "all"), query.get("status", "all"), query.get("author")
    if wanted not in ("all", "discussion", "pull_request") or status not in ("all", "open", "closed"):
        raise bad_request(f"Unknown type or status of discussions: {wanted}, {status}")
    found = [
        pull
        for pull in reversed(repo.record.pulls)
        if wanted in ("all", "pull_request" if pull.is_pull else "discussion")
        and status in ("all", "open" if pull.status in ("open", "draft") else "closed")
        and author in (None, pull.author)
    ]
    start = call.number("p", 0) * _PAGE
    page = [summary(repo, pull) for pull in found[start : start + _PAGE]]
    return JSONResponse({"discussions": page, "count": len(found), "start": start, "numClosedDiscussions": 0})


def summary(repo: Repo, pull: Pull) -> dict[str, Any]:
    """What a list says of one."""
    return {
        "num": pull.num,
        "title": pull.title,
        "author": {"name": pull.author},
        "createdAt": pull.date,
        "status": pull.status,
        "repo": {"name": repo.id, "type": repo.kind},
        "isPullRequest": pull.is_pull,
    }


async def details(call: Call) -> Response:
    """One of them, with everything that happened, and what a pull request changes."""
    repo = call.repo()
    pull = pulls.find(repo, int(call.request.path_params["num"]))
    return JSONResponse(whole(call, repo, pull, diff=call.flag("diff")))


def whole(call: Call, repo: Repo, pull: Pull, *, diff: bool) -> dict[str, Any]:
    """All there is to say of one. The diff shows what is in files, so it is for those who may read them."""
    opening = Event(
        id=f"{pull.num:024x}", type="comment", author=pull.author, date=pull.date, text=pull.description
    )
    happened: list[dict[str, Any]] = [_said(event) for event in pull.events]
    body = summary(repo, pull)
    if pull.is_pull:
        head = repo.commit(f"refs/pr/{pull.num}")
        for step in pulls.own_commits(repo, head):
            data = {"subject": step.title, "oid": step.id}
            author = {"name": step.author}
            happened.append(
                {"id": step.id, "type": "commit", "createdAt": step.date, "author": author, "data": data}
            )
        body["changes"] = {"base": MAIN, **({"mergeCommitId": pull.merged_as} if pull.merged_as else {})}
        body["filesWithConflicts"] = pulls.merged(repo, head)[1] if pull.status in ("open", "draft") else []
        if diff and access.may_read(call.user, repo):
            body["diff"] = _diff(repo, head)
    body["events"] = [_said(opening), *sorted(happened, key=lambda event: str(event["createdAt"]))]
    return body


def _said(event: Event) -> dict[str, Any]:
    """An event as the client reads it."""
    said = {"id": event.id, "type": event.type, "createdAt": event.date, "author": {"name": event.author}}
    if event.type == "status-change":
        return {**said, "data": {"status": event.text}}
    if event.type == "title-change":
        return {**said, "data": {"from": event.before, "to": event.text}}
    latest = {
        "raw": event.text,
        "html": "",
        "updatedAt": event.edited or event.date,
        "author": {"name": event.author},
    }
    return {
        **said,
        "data": {"edited": event.edited is not None, "hidden": event.hidden, "latest": latest, "history": []},
    }


def _diff(repo: Repo, head: Commit) -> str:
    """What the pull request changes, in git's words; of large and binary files only that they differ."""
    own = pulls.own_commits(repo, head)
    base = repo.commit(own[0].parent).tree if own and own[0].parent else head.tree
    parts = []
    for path in sorted({*base, *head.tree}):
        before, after = base.get(path), head.tree.get(path)
        if before == after:
            continue
        parts.append(f"diff --git a/{path} b/{path}\n")
        old, new = _lines(repo, before), _lines(repo, after)
        names = (f"a/{path}" if before else "/dev/null", f"b/{path}" if after else "/dev/null")
        if old is None or new is None:
            parts.append(f"Binary files {names[0]} and {names[1]} differ\n")
        else:
            for line in difflib.unified_diff(old, new, *names):
                parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)


def _lines(repo: Repo, entry: Entry | None) -> list[str] | None:
    """The lines of a text; None for what is not one, or too long to compare."""
    if entry is None:
        return []
    if entry.lfs or entry.size > _LARGEST_DIFF:
        return None
    content = repo.content(entry)
    return None if b"\0" in content else content.decode("utf-8", "replace").splitlines(keepends=True)


def _open(call: Call) -> tuple[Repo, User, Pull]:
    """The discussion in the path, for somebody who may take part."""
    repo = call.repo()
    user = access.check_discuss(call.user, repo)
    return repo, user, pulls.find(repo, int(call.request.path_params["num"]))


def _check_own(user: User, repo: Repo, author: str) -> None:
    if author != user.name and not user.may_write(repo):
        raise forbidden(f"This is {author}'s; only they and the owners of {repo.id} may change it")


async def comment(call: Call) -> Response:
    """Say something."""
    said = _bounded(text(await call.json(), "comment").strip())
    repo, user, pull = _open(call)
    if not said:
        raise bad_request("A comment needs words")
    new = pulls.event("comment", user.name, said)
    pulls.replace(repo, pull.but(events=(*pull.events, new)))
    return JSONResponse({"newMessage": _said(new)})


async def change_comment(call: Call) -> Response:
    """Another wording (its author), or none to be seen any more (its author and the repo's owners)."""
    body = await call.json()
    repo, user, pull = _open(call)
    old = next((e for e in pull.events if e.id == call.param("comment") and e.type == "comment"), None)
    if old is None:
        raise Refusal(404, "There is no such comment")
    if call.param("what") == "hide":
        _check_own(user, repo, old.author)
        new = old.but(text="", hidden=True)
    elif call.param("what") != "edit" or old.author != user.name or old.hidden:
        raise forbidden(f"This comment is {old.author}'s")
    else:
        new = old.but(text=_bounded(text(body, "content")), edited=now())
    pulls.replace(repo, pull.but(events=tuple(new if e is old else e for e in pull.events)))
    return JSONResponse({"updatedComment": _said(new)})


async def rename(call: Call) -> Response:
    """Another title."""
    title = text(await call.json(), "title").strip()
    repo, user, pull = _open(call)
    _check_own(user, repo, pull.author)
    if not 3 <= len(title) <= 200:
        raise bad_request("A title has 3 to 200 characters")
    new = pulls.event("title-change", user.name, title, pull.title)
    pulls.replace(repo, pull.but(title=title, events=(*pull.events, new)))
    return JSONResponse({"newTitle": _said(new)})


async def change_status(call: Call) -> Response:
    """Close it, or open it (again)."""
    body = await call.json()
    repo, user, pull = _open(call)
    _check_own(user, repo, pull.author)
    status, said = text(body, "status"), _bounded(text(body, "comment", "").strip())
    if status not in ("open", "closed"):
        raise bad_request(f"Unknown status: {status!r}")
    if pull.status in (status, "merged"):
        raise conflict(f"{pull.num} is {pull.status} already")
    words = (pulls.event("comment", user.name, said),) if said else ()
    new = pulls.event("status-change", user.name, status)
    pulls.replace(repo, pull.but(status=status, events=(*pull.events, *words, new)))
    return JSONResponse({"newStatus": _said(new)})


ROUTES = [
    ("GET", "/api/{kind:kind}/{repo:repo}/discussions", listing),
    ("POST", "/api/{kind:kind}/{repo:repo}/discussions", create),
    ("GET", _ONE, details),
    ("POST", f"{_ONE}/comment", comment),
    ("POST", f"{_ONE}/comment/{{comment}}/{{what}}", change_comment),
    ("POST", f"{_ONE}/title", rename),
    ("POST", f"{_ONE}/status", change_status),
]
