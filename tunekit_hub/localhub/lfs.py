"""Large files: the batch call, the upload itself, and the check after it.

The client sends no token with the upload, so the URL carries a signature: of this repo, this file and its
size, by a key that lives as long as the server.
"""

from __future__ import annotations

import hmac
from typing import Any

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import access, lfs_parts
from tunekit_hub.localhub.context import Call, objects
from tunekit_hub.localhub.lfs_parts import signature
from tunekit_hub.localhub.refusals import Refusal, bad_request, forbidden
from tunekit_hub.localhub.repos import Repo, open_repo
from tunekit_hub.localhub.storage import KINDS, SHA256, BlobWriter


def may_use(call: Call, repo: Repo, sha256: str) -> bool:
    """Whether the caller may put this large file into the repo without sending it.

    It was uploaded to this repo, or is in another one whose files this caller may read. Otherwise anybody
    who read a hash in a gated repo's file list could fetch the file through a repo of their own.
    """
    if not SHA256.fullmatch(sha256) or not repo.storage.blob(sha256).exists():
        return False
    return repo.has_object(sha256) or any(
        other.has_object(sha256) and access.may_read(call.user, other)
        for kind in KINDS
        for name in repo.storage.repo_names(kind)
        if (other := open_repo(repo.storage, kind, name))
    )


async def batch(call: Call) -> Response:
    """Which of these files are wanted, and where to send them."""
    call.known_user()
    repo = call.repo()  # not only writers: anybody may propose a change to a repo they see
    body = await call.json()
    if body.get("operation") != "upload":
        raise bad_request("Only `upload` batches are served")
    parts = "multipart" in (body.get("transfers") or [])
    wanted = [_wanted(call, repo, item, parts=parts) for item in objects(body, "objects")]
    call.hub.storage.check_room(sum(item["size"] for item in wanted if "actions" in item))
    split = any("chunk_size" in item.get("actions", {}).get("upload", {}).get("header", {}) for item in wanted)
    return JSONResponse({"transfer": "multipart" if split else "basic", "objects": wanted})


def _wanted(call: Call, repo: Repo, item: dict[str, Any], *, parts: bool) -> dict[str, Any]:
    sha256, size = item.get("oid"), item.get("size")
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256) or not isinstance(size, int) or size < 0:
        raise bad_request("An object needs a sha256 `oid` and a `size`")
    answer: dict[str, Any] = {"oid": sha256, "size": size}
    if may_use(call, repo, sha256):
        return answer
    where = f"{call.base}/lfs/{repo.kind}s/{repo.id}/{sha256}"
    if parts and size > call.hub.multipart_from:
        send = lfs_parts.action(call.hub, repo, where, sha256, size)
    else:
        send = {"href": f"{where}?size={size}&signature={signature(call.hub, repo, sha256, size)}"}
    answer["actions"] = {
        "upload": send,
        "verify": {"href": f"{call.page_url(repo)}.git/info/lfs/verify"},
    }
    return answer


async def upload(call: Call) -> Response:
    """Take the bytes; keep them only if they are what was announced."""
    repo = open_repo(call.hub.storage, call.kind, call.param("repo"))
    sha256, size = call.param("oid"), call.number("size", 0)
    given = call.request.query_params.get("signature", "")
    if repo is None or not hmac.compare_digest(given.encode(), signature(call.hub, repo, sha256, size).encode()):
        raise forbidden("This upload URL is not valid, or no longer; ask for a new one")
    writer = BlobWriter(call.hub.storage)
    try:
        async for chunk in call.request.stream():
            writer.write(chunk)
            if writer.size > size:
                raise bad_request(f"More than the {size} bytes that were announced")
        if (writer.sha256, writer.size) != (sha256, size):
            raise bad_request(f"What arrived is not the file that was announced ({writer.size} bytes)")
        writer.keep()
        repo.add_object(sha256)
    finally:
        writer.drop()
    return Response(headers={"ETag": f'"{sha256}"'})


async def verify(call: Call) -> Response:
    """Whether an upload has arrived."""
    repo = call.repo()
    body = await call.json()
    sha256 = str(body.get("oid"))
    if not may_use(call, repo, sha256) or repo.storage.blob(sha256).stat().st_size != body.get("size"):
        raise Refusal(404, "This object has not arrived")
    return JSONResponse({})


ROUTES = [
    ("POST", "/{repo:repo}.git/info/lfs/objects/batch", batch),
    ("POST", "/{kind:kind}/{repo:repo}.git/info/lfs/objects/batch", batch),
    ("POST", "/{repo:repo}.git/info/lfs/verify", verify),
    ("POST", "/{kind:kind}/{repo:repo}.git/info/lfs/verify", verify),
    ("PUT", "/lfs/{kind:kind}/{repo:repo}/{oid}", upload),
]
