"""Pages that answers of the client point to: a commit, a discussion, a collection."""

from __future__ import annotations

from typing import Any

from starlette.responses import RedirectResponse, Response

from tunekit_hub.localhub import collections, discussions, pulls
from tunekit_hub.localhub.context import Call
from tunekit_hub.localhub.pages import HEADERS, facts, html, page, path_of
from tunekit_hub.localhub.repos import open_repo


@page
async def commit(call: Call) -> Response:
    """The repo at this commit."""
    repo = call.repo()
    made = call.commit(repo)
    return RedirectResponse(f"{path_of(repo)}/tree/{made.id}", 303, headers=HEADERS)


@page
async def discussion_list(call: Call) -> Response:
    """All discussions and pull requests of a repo, the newest first."""
    repo = call.repo()
    rows = [discussions.summary(repo, pull) for pull in reversed(repo.record.pulls)]
    return html(call, f"Discussions of {repo.id}", threads=rows, path=path_of(repo))


@page
async def discussion(call: Call) -> Response:
    """One of them, with what was said and what a pull request changes."""
    repo = call.repo()
    pull = pulls.find(repo, int(call.param("num")))
    said = discussions.whole(call, repo, pull, diff=True)
    return html(call, pull.title, thread=said, path=path_of(repo))


@page
async def collection(call: Call) -> Response:
    """The repos of a collection that this caller may see."""
    found = collections.find(call)
    rows: list[dict[str, Any]] = []
    for item in collections.items_for(call, found):
        repo = open_repo(call.hub.storage, item.type, item.id)
        if repo and repo.find_ref("main"):
            rows.append({**facts(repo, repo.commit("main")), "note": item.note or ""})
    return html(call, found.title, collection=found, rows=rows)


_KINDS = ("/{kind:kind}/{repo:repo}", "/{repo:page_repo}")
ROUTES = [
    *(("GET", f"{start}/commit/{{revision:revision}}", commit) for start in _KINDS),
    *(("GET", f"{start}/discussions", discussion_list) for start in _KINDS),
    *(("GET", f"{start}/discussions/{{num:number}}", discussion) for start in _KINDS),
    ("GET", "/collections/{repo:repo}", collection),
]
