"""Routes about repos as a whole: create, delete, move, settings, and who may read a gated one."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import access, space_state, spaces
from tunekit_hub.localhub.context import Call, text
from tunekit_hub.localhub.known import GIT_ATTRIBUTES
from tunekit_hub.localhub.refusals import Refusal, bad_request, conflict, forbidden, repo_not_found
from tunekit_hub.localhub.repos import MAIN, Entry, Repo, create_repo, delete_repo, git_oid, move_repo, open_repo
from tunekit_hub.localhub.storage import KINDS, repo_id

STATUSES = ("pending", "accepted", "rejected")


def _start(call: Call, repo: Repo, files: dict[str, bytes]) -> None:
    """The first commit, as the Hub makes it."""
    tree = {}
    for path, content in files.items():
        sha256, size = repo.storage.put(content)
        tree[path] = Entry(oid=git_oid(content), size=size, sha256=sha256)
    repo.add_commit(MAIN, tree, call.known_user().name, "initial commit")


def _named(call: Call, body: dict[str, Any]) -> tuple[str, str]:
    """Kind and id from a body with `name`, `organization` and `type`."""
    kind = text(body, "type", "model")
    if kind not in KINDS:
        raise bad_request(f"Unknown type of repo: {kind!r}")
    namespace = text(body, "organization", call.known_user().name)
    return kind, repo_id(f"{namespace}/{text(body, 'name')}")


def _visibility(body: dict[str, Any]) -> bool | None:
    """Whether a repo is to be private; None when the body does not say."""
    if body.get("visibility") is not None:
        if body["visibility"] not in ("public", "private"):
            raise bad_request(f"Unknown visibility: {body['visibility']!r}")
        return body["visibility"] == "private"
    return None if body.get("private") is None else bool(body["private"])


async def create(call: Call) -> Response:
    """A new repo; 409 with its address when it is there already."""
    body = await call.json()
    user = call.known_user()
    kind, name = _named(call, body)
    if not user.may_create(name.split("/")[0]):
        raise forbidden(f"You may not create a {kind} under {name.split('/')[0]!r} with this token")
    there = open_repo(call.hub.storage, kind, name)
    if there and there.find_ref(MAIN):
        raise conflict(f"You already created this {kind} repo", url=call.page_url(there))
    files = {".gitattributes": GIT_ATTRIBUTES.encode()}
    if kind == "space":
        settings = spaces.parse(body)
        files["README.md"] = spaces.first_card(name, body)
    # One without a first commit is what a killed server left of this call.
    repo = there or create_repo(call.hub.storage, kind, name, private=bool(_visibility(body)), app=user.app)
    if kind == "space":
        space_state.write(repo, settings)
    _start(call, repo, files)
    return JSONResponse({"url": call.page_url(repo), "name": repo.id})


def _owned(call: Call, kind: str, name: str) -> Repo:
    """A repo named in a body, if the caller may change it."""
    repo = open_repo(call.hub.storage, kind, repo_id(name))
    if repo is None:
        raise repo_not_found(call.user is not None)
    access.check_manage(call.user, repo)
    return repo


async def delete(call: Call) -> Response:
    """Remove a repo."""
    delete_repo(_owned(call, *_named(call, await call.json())))
    return JSONResponse({})


async def move(call: Call) -> Response:
    """Rename a repo; its old id leads to the new one."""
    body = await call.json()
    kind, new = text(body, "type", "model"), repo_id(text(body, "toRepo"))
    if kind not in KINDS:
        raise bad_request(f"Unknown type of repo: {kind!r}")
    repo = _owned(call, kind, text(body, "fromRepo"))
    if not call.known_user().may_create(new.split("/")[0]):
        raise forbidden(f"You may not move a {kind} to {new.split('/')[0]!r} with this token")
    if open_repo(call.hub.storage, kind, new):
        raise conflict(f"{new} exists already")
    move_repo(repo, new)
    return JSONResponse({})


async def settings(call: Call) -> Response:
    """Gating and visibility."""
    repo = call.managed_repo()
    body = await call.json()
    changes: dict[str, object] = {}
    if "gated" in body:
        if body["gated"] not in ("auto", "manual", False):
            raise bad_request(f"Unknown way of gating: {body['gated']!r}")
        changes["gated"] = body["gated"]
    private = _visibility(body)
    if private is not None:
        changes["private"] = private
    repo.update(**changes)
    return JSONResponse({"gated": repo.record.gated, "private": repo.record.private})


def _gated_repo(call: Call) -> Repo:
    repo = call.managed_repo()
    if not repo.record.gated:
        raise bad_request(f"{repo.id} is not gated")
    return repo


async def grant(call: Call) -> Response:
    """Let a user in who need not have asked."""
    repo = _gated_repo(call)
    user = text(await call.json(), "user")
    if not call.hub.accounts.exists(user):
        raise Refusal(404, f"There is no user {user}")
    if user in repo.record.requests and repo.record.requests[user].status == "accepted":
        raise bad_request(f"{user} has access already")
    access.set_request(repo, user, "accepted")
    return JSONResponse({})


async def handle(call: Call) -> Response:
    """Accept, reject or reopen a request."""
    repo = _gated_repo(call)
    body = await call.json()
    status = text(body, "status")
    if status not in STATUSES:
        raise bad_request(f"Unknown status: {status!r}")
    by_id = {request.id: name for name, request in repo.record.requests.items()}
    user = by_id.get(text(body, "requestId")) if "requestId" in body else text(body, "user")
    request = repo.record.requests.get(user or "")
    if user is None or request is None or request.status == status:
        raise Refusal(404, f"There is no request of {user} that is not {status} already")
    access.set_request(repo, user, status)
    return JSONResponse({})


async def requests(call: Call) -> Response:
    """Everybody with a request in one state."""
    repo = _gated_repo(call)
    status = call.param("status")
    if status not in STATUSES:
        raise bad_request(f"Unknown status: {status!r}")
    items = [
        {
            "requestId": request.id,
            "status": request.status,
            "timestamp": request.date,
            "user": {"user": name, "fullname": name},
        }
        for name, request in repo.record.requests.items()
        if request.status == status
    ]
    return call.page(items, 1000)


async def ask(call: Call) -> Response:
    """Ask to read a gated repo; on the Hub this is a button on the repo's page."""
    user, repo = call.known_user(), call.repo()
    if not repo.record.gated:
        raise bad_request(f"{repo.id} is not gated")
    if user.name not in repo.record.requests:
        access.set_request(repo, user.name, "accepted" if repo.record.gated == "auto" else "pending")
    return JSONResponse({"status": repo.record.requests[user.name].status})


ROUTES = [
    ("POST", "/api/repos/create", create),
    ("DELETE", "/api/repos/delete", delete),
    ("POST", "/api/repos/move", move),
    ("PUT", "/api/{kind:kind}/{repo:repo}/settings", settings),
    ("POST", "/api/{kind:kind}/{repo:repo}/user-access-request/grant", grant),
    ("POST", "/api/{kind:kind}/{repo:repo}/user-access-request/handle", handle),
    ("GET", "/api/{kind:kind}/{repo:repo}/user-access-request/{status}", requests),
    ("POST", "/{repo:repo}/ask-access", ask),
    ("POST", "/{kind:kind}/{repo:repo}/ask-access", ask),
]
