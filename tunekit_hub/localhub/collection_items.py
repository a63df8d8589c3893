"""The entries of a collection: adding one, its note and place, taking it out."""

from __future__ import annotations

import secrets

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import access
from tunekit_hub.localhub.collections import Collection, Item, answer, items_for, keep, owned, resolve, short
from tunekit_hub.localhub.context import Call, text
from tunekit_hub.localhub.refusals import Refusal, bad_request, conflict, repo_not_found, unsupported
from tunekit_hub.localhub.repo_records import now
from tunekit_hub.localhub.storage import KINDS, repo_id

_MOST = 1000


async def add(call: Call) -> Response:
    """Put a repo into a collection; 409 when it is in there."""
    body = await call.json()
    collection = owned(call)
    given = body.get("item")
    if not isinstance(given, dict):
        raise bad_request("`item` must be an object with an id and a type")
    kind, name = text(given, "type"), repo_id(text(given, "id"))
    if kind not in KINDS:
        raise unsupported(f"collections of anything but {', '.join(KINDS.values())}")
    repo = resolve(call, kind, name)
    if repo is None or not access.may_see(call.user, repo):
        raise repo_not_found(signed_in=True)
    if any((item.type, item.id) == (kind, repo.id) for item in items_for(call, collection)):
        raise conflict(f"{repo.id} is in this collection already")
    if len(collection.items) >= _MOST:
        raise bad_request(f"A collection holds {_MOST} items")
    fields = {"object_id": secrets.token_hex(12), "type": kind, "id": repo.id, "note": short(body, "note")}
    item = Item.model_validate(fields)
    return JSONResponse(answer(call, _with_items(call, collection, [*collection.items, item])))


def _with_items(call: Call, collection: Collection, items: list[Item]) -> Collection:
    return keep(call.hub.storage, collection.but(items=tuple(items), updated=now()))


def _find(call: Call, collection: Collection) -> Item:
    for item in collection.items:
        if item.object_id == call.param("item"):
            return item
    raise Refusal(404, "There is no such item in this collection")


async def change(call: Call) -> Response:
    """Another note, or another place."""
    body = await call.json()
    collection = owned(call)
    item = _find(call, collection)
    others = [other for other in collection.items if other is not item]
    position = body.get("position", collection.items.index(item))
    if not isinstance(position, int) or position < 0:
        raise bad_request("`position` must be a number from 0")
    others.insert(position, item.but(note=short(body, "note", item.note)))
    _with_items(call, collection, others)
    return JSONResponse({"success": True})


async def remove(call: Call) -> Response:
    """Take a repo out; it stays what it is."""
    collection = owned(call)
    item = _find(call, collection)
    _with_items(call, collection, [other for other in collection.items if other is not item])
    return JSONResponse({"success": True})


ROUTES = [
    ("POST", "/api/collections/{repo:repo}/items", add),
    ("PATCH", "/api/collections/{repo:repo}/items/{item}", change),
    ("DELETE", "/api/collections/{repo:repo}/items/{item}", remove),
]
