"""Routes of Spaces: variables, secrets, hardware, and what there is to say of one that never runs."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub import info, space_state
from tunekit_hub.localhub.context import Call, text
from tunekit_hub.localhub.refusals import bad_request, unsupported
from tunekit_hub.localhub.repo_records import now
from tunekit_hub.localhub.repos import Repo
from tunekit_hub.localhub.space_state import NOT_RUN, SDKS, Space, Variable, read, write

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_FLAVOR = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_LONGEST = 64 << 10


def _change(repo: Repo, **changes: object) -> Space:
    return write(repo, Space.model_validate(read(repo).but(**changes).model_dump()))


def first_card(name: str, body: dict[str, Any]) -> bytes:
    """The README that a new Space starts with."""
    return f"---\ntitle: {json.dumps(name.split('/')[-1])}\nsdk: {body['sdk']}\n---\n".encode()


def parse(body: dict[str, Any]) -> Space:
    """What the call that creates a Space sets along with it; 400 for anything wrong."""
    if body.get("volumes") or body.get("template"):
        raise unsupported("volumes and templates of Spaces")
    if body.get("sdk") not in SDKS:
        raise bad_request(f"A Space needs an `sdk`: one of {', '.join(SDKS)}")
    hardware, sleep = body.get("hardware"), body.get("sleepTimeSeconds")
    return Space(
        hardware=None if hardware is None else _flavor(hardware),
        sleep=None if sleep is None else _seconds(sleep),
        variables=_variables(body.get("variables"), keep=True),
        secrets=_variables(body.get("secrets"), keep=False),
    )


def _variables(items: object, *, keep: bool) -> dict[str, Variable]:
    if items is not None and not (isinstance(items, list) and all(isinstance(item, dict) for item in items)):
        raise bad_request("Variables and secrets are lists of objects with a key and a value")
    return dict(_variable(item, keep=keep) for item in items or [])


def _variable(item: dict[str, Any], *, keep: bool) -> tuple[str, Variable]:
    key, value = text(item, "key"), text(item, "value")
    if not _KEY.fullmatch(key):
        raise bad_request(f"Not a name for a variable: {key!r}")
    if len(value) > _LONGEST:
        raise bad_request(f"The value of {key} is longer than {_LONGEST} characters")
    description = text(item, "description", "") or None
    return key, Variable(value=value if keep else "", description=description, updated=now())


def _flavor(value: object) -> str:
    if not isinstance(value, str) or not _FLAVOR.fullmatch(value):
        raise bad_request(f"Unknown hardware: {value!r}")
    return value


def _seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < -1:
        raise bad_request(f"A sleep time is a number of seconds, or -1: {value!r}")
    return value


def _said(variables: dict[str, Variable], *, values: bool) -> dict[str, dict[str, Any]]:
    return {
        key: {
            **({"value": item.value} if values else {}),
            "description": item.description,
            "updatedAt": item.updated,
        }
        for key, item in variables.items()
    }


async def variables(call: Call) -> Response:
    """Everybody who may change the Space sees them."""
    return JSONResponse(_said(read(call.writable_repo()).variables, values=True))


async def secrets(call: Call) -> Response:
    """Their names, never their values."""
    return JSONResponse(_said(read(call.writable_repo()).secrets, values=False))


async def add_variable(call: Call) -> Response:
    """Set or change a variable."""
    key, item = _variable(await call.json(), keep=True)
    repo = call.writable_repo()
    space = _change(repo, variables={**read(repo).variables, key: item})
    return JSONResponse(_said(space.variables, values=True))


async def add_secret(call: Call) -> Response:
    """Note that a secret was set."""
    key, item = _variable(await call.json(), keep=False)
    repo = call.writable_repo()
    space = _change(repo, secrets={**read(repo).secrets, key: item})
    return JSONResponse(_said(space.secrets, values=False))


async def delete_variable(call: Call) -> Response:
    """Remove a variable; it need not be there."""
    key = text(await call.json(), "key")
    repo = call.writable_repo()
    space = _change(repo, variables={k: v for k, v in read(repo).variables.items() if k != key})
    return JSONResponse(_said(space.variables, values=True))


async def delete_secret(call: Call) -> Response:
    """Remove a secret; it need not be there."""
    key = text(await call.json(), "key")
    repo = call.writable_repo()
    space = _change(repo, secrets={k: v for k, v in read(repo).secrets.items() if k != key})
    return JSONResponse(_said(space.secrets, values=False))


def _state(call: Call, repo: Repo) -> Response:
    commit = call.commit(repo)
    return JSONResponse(space_state.runtime(repo, commit, info.read_card(repo, commit)))


async def runtime(call: Call) -> Response:
    """The state of a Space."""
    return _state(call, call.repo())


async def hardware(call: Call) -> Response:
    """Note which hardware was asked for."""
    body = await call.json()
    changes: dict[str, object] = {"hardware": _flavor(body.get("flavor"))}
    if body.get("sleepTimeSeconds") is not None:
        changes["sleep"] = _seconds(body["sleepTimeSeconds"])
    repo = call.writable_repo()
    _change(repo, **changes)
    return _state(call, repo)


async def sleep_time(call: Call) -> Response:
    """Note after how long the Space is to sleep."""
    seconds = _seconds((await call.json()).get("seconds"))
    repo = call.writable_repo()
    _change(repo, sleep=seconds)
    return _state(call, repo)


async def cannot_run(call: Call) -> Response:
    """Start, stop, logs: no Space runs here."""
    call.writable_repo()
    raise unsupported(f"starting, pausing or watching a Space. {NOT_RUN}")


_KNOWN = [
    ("GET", "runtime", runtime),
    ("GET", "variables", variables),
    ("POST", "variables", add_variable),
    ("DELETE", "variables", delete_variable),
    ("GET", "secrets", secrets),
    ("POST", "secrets", add_secret),
    ("DELETE", "secrets", delete_secret),
    ("POST", "hardware", hardware),
    ("POST", "sleeptime", sleep_time),
    *(("POST", name, cannot_run) for name in ("restart", "pause", "dev-mode", "volumes")),
    *(("GET", f"logs/{name}", cannot_run) for name in ("build", "run")),
]
ROUTES = [(method, f"/api/{{kind:space}}/{{repo:repo}}/{name}", handler) for method, name, handler in _KNOWN]
