"""Routes that only read: who am I, info, lists of repos, may I read this, and files."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Any

from starlette.responses import FileResponse, JSONResponse, Response

from tunekit_hub.localhub import access, info
from tunekit_hub.localhub.access import User
from tunekit_hub.localhub.context import Call
from tunekit_hub.localhub.oauth_tokens import subject
from tunekit_hub.localhub.refusals import (
    NO_CREDENTIALS,
    Refusal,
    bad_request,
    entry_not_found,
    forbidden,
    unsupported,
)
from tunekit_hub.localhub.repos import open_repo

_MINUTES = 15  # that an address at the second origin holds
_SORTS = ("lastModified", "createdAt", "downloads", "likes", "trendingScore")
_LIST_PARAMETERS = {
    *("search", "author", "filter", "gated", "pipeline_tag", "sort", "limit", "full", "cardData", "config"),
    *("expand", "cursor", "num_parameters"),
}


async def agent_harnesses(_: Call) -> Response:
    """Asked by the first call of every process; a list here would break the client."""
    return JSONResponse({"standardEnvVars": [], "harnesses": {}})


async def whoami(call: Call) -> Response:
    """The caller and their organizations."""
    if call.user is None:
        raise Refusal(401, NO_CREDENTIALS)
    user = call.user
    orgs = [
        {
            "type": "org",
            "id": subject(name),
            "name": name,
            "fullname": name,
            "avatarUrl": f"{call.base}/avatars/{name}.svg",
            "roleInOrg": "write",
        }
        for name in user.namespaces[1:]
    ]
    return JSONResponse(
        {
            "type": "user",
            "id": subject(user.name),
            "name": user.name,
            "fullname": user.name,
            "email": f"{user.name}@localhost",
            "avatarUrl": f"{call.base}/avatars/{user.name}.svg",
            "isPro": False,
            "canPay": False,
            "orgs": orgs,
            "auth": _auth(user),
        }
    )


def _auth(user: User) -> dict[str, Any]:
    """What kind of token this is, and what a fine-grained one may do."""
    if user.role == "app":
        return {"type": "oauth"}
    token: dict[str, Any] = {"displayName": "local", "role": user.role}
    if user.role == "no-gated":
        own = [{"type": "org" if n else "user", "name": name} for n, name in enumerate(user.namespaces)]
        scoped = [{"entity": entity, "permissions": ["repo.content.read", "repo.write"]} for entity in own]
        token["role"] = "fineGrained"
        token["fineGrained"] = {"canReadGatedRepos": False, "global": [], "scoped": scoped}
    return {"type": "access_token", "accessToken": token}


async def repo_info(call: Call) -> Response:
    """Everything about one repo. Metadata of a gated repo is open to all."""
    repo = call.repo()
    expand = call.request.query_params.getlist("expand")
    return JSONResponse(
        info.answer(
            repo, call.commit(repo), expand, blobs=call.flag("blobs"), security=call.flag("securityStatus")
        )
    )


async def list_repos(call: Call) -> Response:
    """Repos that fit every filter given. A filter the local Hub does not know is refused, not ignored."""
    query = call.request.query_params
    unknown = sorted(set(query) - _LIST_PARAMETERS)
    if unknown:
        raise unsupported(f"listing by `{unknown[0]}`")
    found = []
    for name in call.hub.storage.repo_names(call.kind):
        repo = open_repo(call.hub.storage, call.kind, name)
        if repo and repo.find_ref("main") and access.may_see(call.user, repo):
            described = info.describe(repo, repo.commit("main"))
            if _fits(described, call):
                found.append(described)
    sort = query.get("sort", "trendingScore")
    if sort not in _SORTS:
        raise unsupported(f"sorting by `{sort}`")
    kind = str if sort in ("lastModified", "createdAt") else float  # what is not known comes last
    found.sort(key=lambda item: kind(item.get(sort) or kind()), reverse=True)
    limit = min(call.number("limit", 1000) or 1000, 1000)
    return call.page([_listed(item, call) for item in found], limit)


def _fits(item: dict[str, Any], call: Call) -> bool:
    query = call.request.query_params
    wanted = {
        "author": item["author"],
        "pipeline_tag": item["pipeline_tag"],
        "gated": str(bool(item["gated"])).lower(),
    }
    return (
        all(query[key] == value for key, value in wanted.items() if key in query)
        and all(word.lower() in item["id"].lower() for word in query.getlist("search"))
        and all(tag in item["tags"] for tag in query.getlist("filter"))
        and _within(item, query.get("num_parameters"))
    )


def _within(item: dict[str, Any], bounds: str | None) -> bool:
    """Whether the parameters lie in `min:0.5B,max:3B`; where they are not known, they lie in no range."""
    if bounds is None:
        return True
    total = (item["safetensors"] or {}).get("total")
    return total is not None and all(_keeps(total, bound) for bound in bounds.split(","))


def _keeps(total: int, bound: str) -> bool:
    match = re.fullmatch(r"(min|max):(\d+(?:\.\d+)?)([KMBT]?)", bound.strip(), re.IGNORECASE)
    if match is None:
        raise bad_request(f"`num_parameters` must be like `min:0.5B,max:3B`, not {bound!r}")
    limit = float(match[2]) * 1000.0 ** " KMBT".index(match[3].upper() or " ")
    return total >= limit if match[1].lower() == "min" else total <= limit


def _listed(item: dict[str, Any], call: Call) -> dict[str, Any]:
    """A list entry holds less than `model_info`, unless more is asked for."""
    expand = call.request.query_params.getlist("expand")
    if expand:
        return {key: item[key] for key in ("_id", "id", *info.known_fields(item, expand)) if key in item}
    keys = [*info.BASIC, *(info.FULL if call.flag("full") else ())]
    keys += [
        name for name in ("cardData", "config") if call.flag(name) or (name == "cardData" and call.flag("full"))
    ]
    return {key: item[key] for key in keys if item.get(key) is not None}


async def auth_check(call: Call) -> Response:
    """Whether this caller gets the files."""
    call.readable_repo()
    return JSONResponse({})


async def auth_check_write(call: Call) -> Response:
    """Whether this caller may change the repo."""
    call.writable_repo()
    return JSONResponse({})


async def resolve(call: Call) -> Response:
    """A file, or a range of it."""
    repo = call.readable_repo()
    commit = call.commit(repo)
    path = call.param("path")
    entry = commit.tree.get(path)
    if entry is None:
        raise entry_not_found(path, commit.id)
    headers = {"X-Repo-Commit": commit.id, "ETag": f'"{entry.sha256 if entry.lfs else entry.oid}"'}
    if entry.lfs:
        headers |= {"X-Linked-Size": str(entry.size), "X-Linked-ETag": f'"{entry.sha256}"'}
    if entry.lfs and call.hub.second_origin:
        place = signed_address(call, entry.sha256)
        return Response(status_code=302, headers={**headers, "Location": place, "Cache-Control": "no-store"})
    # Never as HTML: a page from somebody's repo must not run as one of this server's.
    headers |= {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
    return FileResponse(repo.storage.blob(entry.sha256), media_type="application/octet-stream", headers=headers)


def signed_address(call: Call, sha256: str) -> str:
    """Where a large file can be had for some minutes, by whoever has the address: no token goes there."""
    until = int(time.time()) + _MINUTES * 60
    return f"{call.hub.second_origin}/cdn/{sha256}?until={until}&signature={_sign(call, sha256, until)}"


def _sign(call: Call, sha256: str, until: int) -> str:
    return hmac.new(call.hub.secret, f"cdn/{sha256}/{until}".encode(), hashlib.sha256).hexdigest()


async def large_file(call: Call) -> Response:
    """A large file, from the second origin."""
    sha256, until = call.param("oid"), call.number("until", 0)
    given = call.request.query_params.get("signature", "")
    if until < time.time() or not hmac.compare_digest(given.encode(), _sign(call, sha256, until).encode()):
        raise forbidden("This address is not valid, or no longer; ask for the file again")
    headers = {"ETag": f'"{sha256}"', "X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
    return FileResponse(call.hub.storage.blob(sha256), media_type="application/octet-stream", headers=headers)


ROUTES = [
    ("GET", "/cdn/{oid}", large_file),
    ("GET", "/api/agent-harnesses", agent_harnesses),
    ("GET", "/api/whoami-v2", whoami),
    ("GET", "/api/{kind:kind}", list_repos),
    ("GET", "/api/{kind:kind}/{repo:repo}", repo_info),
    ("GET", "/api/{kind:kind}/{repo:repo}/revision/{revision:revision}", repo_info),
    ("GET", "/api/{kind:kind}/{repo:repo}/auth-check", auth_check),
    ("GET", "/api/{kind:kind}/{repo:repo}/auth-check/write", auth_check_write),
    ("GET", "/{kind:kind}/{repo:repo}/resolve/{revision:revision}/{path:path}", resolve),
    ("GET", "/{repo:repo}/resolve/{revision:revision}/{path:path}", resolve),
]
