"""Collections: lists of repos with a title, by one owner.

collections/ID.json      one collection; its slug is `OWNER/TITLE-ID`
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any, Literal

from starlette.responses import JSONResponse, Response

from tunekit_hub.facts import Record
from tunekit_hub.localhub import access
from tunekit_hub.localhub.access import User
from tunekit_hub.localhub.context import Call, text
from tunekit_hub.localhub.refusals import Refusal, bad_request, conflict, forbidden, unsupported
from tunekit_hub.localhub.repo_records import now
from tunekit_hub.localhub.repos import Repo, open_repo
from tunekit_hub.localhub.storage import KINDS, Storage, repo_id

THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")
_ID = re.compile(r"(?:.*-)?([0-9a-f]{24})")
_LONGEST = {"title": 60, "description": 150, "note": 500}  # as the Hub limits them


class Item(Record):
    """One entry of a collection."""

    object_id: str
    type: Literal["model", "dataset", "space"]
    id: str
    note: str | None = None


class Collection(Record):
    """One collection."""

    id: str
    owner: str
    title: str
    description: str | None = None
    private: bool = False
    theme: str = "orange"
    updated: str
    position: int = 0
    items: tuple[Item, ...] = ()

    @property
    def slug(self) -> str:
        """Its address: the title in it is for people, the id tells which one is meant."""
        words = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")[:60].strip("-")
        return f"{self.owner}/{words}-{self.id}" if words else f"{self.owner}/{self.id}"


def all_of(storage: Storage) -> Iterator[Collection]:
    """Every collection, private ones too."""
    for path in sorted((storage.folder / "collections").glob("*.json")):
        yield Collection.model_validate_json(path.read_bytes())


def keep(storage: Storage, collection: Collection) -> Collection:
    """Write it down."""
    path = storage.folder / "collections" / f"{collection.id}.json"
    storage.write_json(path, collection.model_dump_json(indent=1))
    return collection


def may_see(user: User | None, collection: Collection) -> bool:
    """Whether it exists, as far as this caller can tell."""
    mine = user is not None and collection.owner in user.namespaces
    return not collection.private or (mine and user.has("read-collections", "write-collections"))


def find(call: Call) -> Collection:
    """The collection in the path, if the caller may see it."""
    owner, _, rest = call.param("repo").partition("/")
    match = _ID.fullmatch(rest)
    path = call.hub.storage.folder / "collections" / f"{match[1]}.json" if match else None
    found = Collection.model_validate_json(path.read_bytes()) if path and path.exists() else None
    if found is None or found.owner.lower() != owner.lower() or not may_see(call.user, found):
        raise Refusal(404 if call.user else 401, "Collection not found")
    return found


def owned(call: Call) -> Collection:
    """The collection in the path, if the caller may change it."""
    user, found = call.known_user(), find(call)
    _check_owner(user, found.owner)
    return found


def _check_owner(user: User, owner: str) -> None:
    if not user.can_write or owner not in user.namespaces or not user.has("write-collections"):
        raise forbidden(f"{user.name} may not change the collections of {owner} with this token")


def items_for(call: Call, collection: Collection) -> list[Item]:
    """The entries that this caller may see: a private repo in a public list stays private."""
    shown = []
    for item in collection.items:
        repo = resolve(call, item.type, item.id)
        if repo is not None and access.may_see(call.user, repo):
            shown.append(item.but(id=repo.id))
    return shown


def resolve(call: Call, kind: str, name: str) -> Repo | None:
    """The repo of this id, or the one it was renamed to."""
    storage = call.hub.storage
    current = name if open_repo(storage, kind, name) else storage.current_id(kind, name)
    return open_repo(storage, kind, current) if current else None


def answer(call: Call, collection: Collection, *, most: int | None = None) -> dict[str, Any]:
    """A collection as the client reads it."""
    items = [
        {
            "_id": item.object_id,
            "id": item.id,
            "type": item.type,
            "repoType": item.type,
            "position": position,
            **({"note": {"text": item.note, "html": ""}} if item.note else {}),
        }
        for position, item in enumerate(items_for(call, collection))
    ]
    return {
        "slug": collection.slug,
        "title": collection.title,
        "description": collection.description,
        "owner": collection.owner,
        "items": items[:most],
        "lastUpdated": collection.updated,
        "position": collection.position,
        "private": collection.private,
        "theme": collection.theme,
        "upvotes": 0,
        "gating": False,
        "isUpvotedByUser": False,
    }


def short(body: dict[str, Any], key: str, default: str | None = None) -> str | None:
    """A text of the body, no longer than the Hub takes it."""
    if body.get(key) is None:
        return default
    value = text(body, key).strip()
    if len(value) > _LONGEST[key]:
        raise bad_request(f"`{key}` may have {_LONGEST[key]} characters, not {len(value)}")
    return value


async def listing(call: Call) -> Response:
    """Collections by owner and by what is in them; a list shows four items of each, as on the Hub."""
    query = call.request.query_params
    known = {"owner", "item", "sort", "limit", "cursor"}
    unknown = sorted(set(query) - known)
    if unknown or query.get("sort", "lastModified") not in ("lastModified", "trending", "upvotes"):
        raise unsupported(f"listing collections by `{(unknown or [query.get('sort')])[0]}`")
    owners, wanted = query.getlist("owner"), set(query.getlist("item"))
    found = [
        c
        for c in all_of(call.hub.storage)
        if may_see(call.user, c)
        and (not owners or c.owner in owners)
        and (not wanted or wanted & {f"{KINDS[item.type]}/{item.id}" for item in items_for(call, c)})
    ]
    found.sort(key=lambda c: c.updated, reverse=True)
    limit = min(call.number("limit", 100) or 100, 100)
    shown = [answer(call, c, most=4) for c in found]
    # The client numbers a list itself, and takes no position beside its own.
    return call.page([{key: value for key, value in c.items() if key != "position"} for c in shown], limit)


async def show(call: Call) -> Response:
    """One collection, whole."""
    return JSONResponse(answer(call, find(call)))


async def create(call: Call) -> Response:
    """A new, empty collection; 409 with its slug when the owner has one of this title."""
    body = await call.json()
    user = call.known_user()
    owner = repo_id(text(body, "namespace", user.name))
    _check_owner(user, owner)
    title = short(body, "title")
    if not title:
        raise bad_request("A collection needs a title")
    mine = [c for c in all_of(call.hub.storage) if c.owner == owner]
    for known in mine:
        if known.title == title:
            refusal = conflict(f"{owner} has a collection of this title already")
            refusal.body["slug"] = known.slug
            raise refusal
    collection = Collection(
        id=secrets.token_hex(12),
        owner=owner,
        title=title,
        description=short(body, "description"),
        private=bool(body.get("private")),
        updated=now(),
        position=len(mine),
    )
    return JSONResponse(answer(call, keep(call.hub.storage, collection)))


async def update(call: Call) -> Response:
    """Title, description, place, visibility, colour."""
    body = await call.json()
    collection = owned(call)
    theme, position = body.get("theme", collection.theme), body.get("position", collection.position)
    if theme not in THEMES or not isinstance(position, int):
        raise bad_request(f"`theme` is one of {', '.join(THEMES)}, and `position` a number")
    changed = collection.but(
        title=short(body, "title", collection.title) or collection.title,
        description=short(body, "description", collection.description),
        private=bool(body.get("private", collection.private)),
        theme=theme,
        position=position,
        updated=now(),
    )
    return JSONResponse({"success": True, "data": answer(call, keep(call.hub.storage, changed))})


async def delete(call: Call) -> Response:
    """Remove a collection; the repos in it stay."""
    collection = owned(call)
    (call.hub.storage.folder / "collections" / f"{collection.id}.json").unlink()
    return JSONResponse({})


ROUTES = [
    ("GET", "/api/collections", listing),
    ("POST", "/api/collections", create),
    ("GET", "/api/collections/{repo:repo}", show),
    ("PATCH", "/api/collections/{repo:repo}", update),
    ("DELETE", "/api/collections/{repo:repo}", delete),
]
