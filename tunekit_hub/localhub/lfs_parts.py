"""Very large files come in parts: each to a URL of its own, then a call that puts them together.

The parts are written where they belong in one file, so nothing is copied at the end. What was sent so far is
known to this process only; after a restart the client starts such a file again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub.context import Call, LocalHub, objects
from tunekit_hub.localhub.refusals import bad_request, forbidden
from tunekit_hub.localhub.repos import Repo, open_repo
from tunekit_hub.localhub.storage import BlobWriter


def signature(hub: LocalHub, repo: Repo, sha256: str, size: int, what: str = "") -> str:
    """What makes an upload URL valid: for this repo, this file, this size, and this part of it."""
    message = f"{repo.kind}/{repo.id}/{sha256}/{size}/{what}".encode()
    return hmac.new(hub.secret, message, hashlib.sha256).hexdigest()


def action(hub: LocalHub, repo: Repo, where: str, sha256: str, size: int) -> dict[str, Any]:
    """What the batch call answers for such a file: the size of a part, a URL for each, and one for the end."""
    chunk = hub.part_size
    header = {"chunk_size": str(chunk)}
    for part in range(1, -(-size // chunk) + 1):
        signed = signature(hub, repo, sha256, size, f"{chunk}/{part}")
        header[str(part)] = f"{where}/{part}?size={size}&chunk={chunk}&signature={signed}"
    signed = signature(hub, repo, sha256, size, f"{chunk}/end")
    return {"href": f"{where}/end?size={size}&chunk={chunk}&signature={signed}", "header": header}


def _checked(call: Call, what: str) -> tuple[Repo, str, int, int]:
    """Repo, sha256, size and size of a part, if the URL is one that was given out."""
    repo = open_repo(call.hub.storage, call.kind, call.param("repo"))
    sha256, size, chunk = call.param("oid"), call.number("size", 0), call.number("chunk", 0)
    given = call.request.query_params.get("signature", "")
    signed = signature(call.hub, repo, sha256, size, f"{chunk}/{what}") if repo else ""
    if repo is None or not hmac.compare_digest(given.encode(), signed.encode()):
        raise forbidden("This upload URL is not valid, or no longer; ask for a new one")
    return repo, sha256, size, chunk


def _place(call: Call, repo: Repo, sha256: str, size: int) -> Path:
    """Where the parts go until they are all there."""
    return call.hub.storage.folder / "tmp" / f"parts-{signature(call.hub, repo, sha256, size, 'place')}"


async def part(call: Call) -> Response:
    """Take one part."""
    number = int(call.param("part"))
    repo, sha256, size, chunk = _checked(call, str(number))
    expected, start = min(chunk, size - (number - 1) * chunk), (number - 1) * chunk
    place, arrived, digest = _place(call, repo, sha256, size), 0, hashlib.sha256()
    place.touch()
    with place.open("r+b") as file:
        file.seek(start)
        async for piece in call.request.stream():
            arrived += len(piece)
            if arrived > expected:
                break
            file.write(piece)
            digest.update(piece)
    if arrived != expected:
        raise bad_request(f"Part {number} has {expected} bytes, not {arrived}")
    call.hub.parts.setdefault(place.name, {})[number] = digest.hexdigest()
    return Response(headers={"ETag": f'"{digest.hexdigest()}"'})


async def end(call: Call) -> Response:
    """Put the parts together; keep them only if they make what was announced."""
    repo, sha256, size, chunk = _checked(call, "end")
    named = {
        item.get("partNumber"): str(item.get("etag")).strip('"') for item in objects(await call.json(), "parts")
    }
    if repo.has_object(sha256) and repo.storage.blob(sha256).exists():
        return JSONResponse({"success": True})  # the answer to this call got lost, and it came again
    place = _place(call, repo, sha256, size)
    known = call.hub.parts.get(place.name, {})
    count = -(-size // chunk)
    if len(named) != count or any(known.get(number) != named.get(number) for number in range(1, count + 1)):
        raise bad_request("Not all parts have arrived as they are named here; send the file again")
    writer = BlobWriter(repo.storage)
    try:
        await asyncio.to_thread(writer.adopt, place)
        if (writer.sha256, writer.size) != (sha256, size):
            raise bad_request(f"The parts do not make the file that was announced ({writer.size} bytes)")
        writer.keep()
        repo.add_object(sha256)
    finally:
        writer.drop()
        call.hub.parts.pop(place.name, None)
    return JSONResponse({"success": True})


ROUTES = [
    ("PUT", "/lfs/{kind:kind}/{repo:repo}/{oid}/{part:number}", part),
    ("POST", "/lfs/{kind:kind}/{repo:repo}/{oid}/end", end),
]
