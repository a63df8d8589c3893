"""Pages for a browser: every repo, and one repo with its card. Signing in is in sign_in.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import jinja2
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import HTMLResponse, Response

from tunekit_hub.localhub import access, cards, info
from tunekit_hub.localhub.context import Call
from tunekit_hub.localhub.markdown import to_html
from tunekit_hub.localhub.refusals import Refusal
from tunekit_hub.localhub.repos import Commit, Repo, open_repo
from tunekit_hub.localhub.storage import KINDS

COOKIE = "tunekit_hub_session"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",  # what a page shows depends on who is signed in
}
_LARGEST_CARD = 1 << 20
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("tunekit_hub.localhub", ""),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
Handler = Callable[[Call], Awaitable[Response]]


class _PageRepo(Convertor[str]):
    """A repo in the address of a page: nothing under `/api`, which is for programs."""

    regex = "(?!api(?:/|$))[^/]+(?:/[^/]+)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("page_repo", _PageRepo())


def page(handler: Handler) -> Handler:
    """Let the session in the cookie say who calls, and answer a refusal with a page."""

    async def answer(call: Call) -> Response:
        call.user = call.user or call.hub.sessions.get(call.request.cookies.get(COOKIE, ""))
        try:
            return await handler(call)
        except Refusal as refusal:
            if refusal.code != "RepoNotFound" and refusal.status != 400:
                return html(call, "This cannot be shown", refusal.status, message=refusal.message)
            message = "There is no repo of this name here, or it is private."
            if call.user is None:
                message += " To see a private repo, sign in with a token."
            return html(call, "Not found", 404, message=message, open_form=True)

    return answer


def html(call: Call, title: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page: a list (`groups`), a repo (`repo` and more), or a `message`."""
    path = call.request.url.path
    values = {
        "title": title,
        "user": call.user,
        "ended": call.user is None and COOKIE in call.request.cookies,
        "next": "/" if path in ("/login", "/logout") else path,
        "open_form": False,
        "bad": False,
        **values,
    }
    text = _TEMPLATES.get_template("page.html.jinja").render(values)
    return HTMLResponse(text, status, headers=HEADERS)


@page
async def index(call: Call) -> Response:
    """Every repo that this caller may see, the last changed first."""
    groups, hidden = _groups(call)
    return html(call, "Repos on this local Hub", groups=groups, hidden=hidden)


def _groups(call: Call, owner: str = "") -> tuple[dict[str, list[dict[str, Any]]], int]:
    """Repos by kind, of one owner or of all, and how many more there are that the caller may not see."""
    groups: dict[str, list[dict[str, Any]]] = {}
    hidden = 0
    for kind, plural in KINDS.items():
        rows = groups[plural] = []
        for name in call.hub.storage.repo_names(kind):
            repo = (
                open_repo(call.hub.storage, kind, name) if name.startswith(f"{owner}/" if owner else "") else None
            )
            if repo and not access.may_see(call.user, repo):
                hidden += 1
            elif repo and repo.find_ref("main"):
                rows.append(facts(repo, repo.commit("main")))
        rows.sort(key=lambda row: row["changed"], reverse=True)
    return groups, hidden


def _of_owner(call: Call) -> Response | None:
    """What somebody has here, where the address is a name alone and no repo goes or went by it."""
    name = call.param("repo")
    if "/" in name or call.kind != "model" or call.hub.storage.current_id("model", name):
        return None
    groups, _ = _groups(call, name)
    known = call.hub.accounts.exists(name) or any(groups.values())
    return html(call, name, groups=groups, hidden=0) if known else None


@page
async def repo_page(call: Call) -> Response:
    """One repo at one commit, or an owner. The card of a gated repo is one of its files: not for everyone."""
    owned = _of_owner(call)
    if owned is not None:
        return owned
    repo = call.repo()
    commit = call.commit(repo)
    gate = access.gate(call.user, repo, call.page_url(repo))
    front, card, no_card = (None, None, "") if gate else _card(repo, commit)
    return html(
        call,
        repo.id,
        repo=facts(repo, commit),
        commit=commit,
        latest=bool(repo.find_ref("main")) and commit.id == repo.commit("main").id,
        gate=gate is not None,
        request=repo.record.requests.get(call.user.name) if call.user else None,
        address=call.page_url(repo),
        front=front,
        card=card,
        no_card=no_card,
        threads_count=len(repo.record.pulls),
        files=[_file(repo, commit, path) for path in commit.tree],
    )


def facts(repo: Repo, commit: Commit) -> dict[str, Any]:
    """What a list says of a repo."""
    card = info.read_card(repo, commit)
    names = [*cards.as_list(card.get("license")), *cards.as_list(card.get("license_name"))]
    return {
        "id": repo.id,
        "kind": repo.kind,
        "path": path_of(repo),
        "record": repo.record,
        "license": ", ".join(names) or "no license stated",
        "changed": commit.date,
    }


def path_of(repo: Repo) -> str:
    """Its address on this server."""
    return f"/{'' if repo.kind == 'model' else KINDS[repo.kind] + '/'}{repo.id}"


def _card(repo: Repo, commit: Commit) -> tuple[str | None, str | None, str]:
    """Front matter, the rest as HTML, and what to say where there is none."""
    entry = commit.tree.get("README.md")
    if entry is None:
        return None, None, "This repo has no card."
    if entry.size > _LARGEST_CARD:
        return None, None, "The card is too large to be shown here; it is among the files."
    front, body = cards.split(repo.content(entry).decode("utf-8", "replace"))
    return front, to_html(body, f"{path_of(repo)}/resolve/{commit.id}/"), "The card is empty."


def _file(repo: Repo, commit: Commit, path: str) -> dict[str, str]:
    """A file, with a link only where a browser without a token gets it."""
    open_to_all = access.may_read(None, repo)
    url = f"{path_of(repo)}/resolve/{commit.id}/{quote(path)}" if open_to_all else ""
    return {"name": path, "size": _size(commit.tree[path].size), "url": url}


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


ROUTES = [
    ("GET", "/", index),
    ("GET", "/{kind:kind}/{repo:repo}/tree/{revision:revision}", repo_page),
    ("GET", "/{kind:kind}/{repo:repo}", repo_page),
    ("GET", "/{repo:page_repo}/tree/{revision:revision}", repo_page),
    ("GET", "/{repo:page_repo}", repo_page),
]
