"""Ten cells of the matrix as a user meets them: the installed command, its exit code and its words, then again.

Nothing is patched here, so the faults are those that need no long waiting.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fault_cases import FAULTS, LONG
from fault_proxy import Spot
from fault_scenes import BASE, ROWS, TARGET, Dataset, Fetch, Publish
from hubs import TOKENS

from tunekit_hub import runfile

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
PUBLISH, DRY = ["publish", "RUN", TARGET], ["publish", "--dry-run", "RUN", TARGET]
CHECK, PROFILE = ["check", BASE], ["profile", ROWS]
# The command, the fault, and the call that meets it, by method and the end of its route.
CELLS = [
    (PUBLISH, "401 from here on", "POST", "/commit/main"),
    (PUBLISH, f"429, wait {LONG} s", "POST", "/preupload/main"),
    (PUBLISH, "403", "POST", "/repos/create"),
    (PUBLISH, "412", "POST", "/commit/main"),
    (DRY, "refused, lasting", "GET", "/whoami-v2"),
    (DRY, "503, lasting", "GET", "/auth-check/write"),
    (CHECK, "truncated, lasting", "GET", "/api/models/{base}"),
    (CHECK, "409", "GET", "/auth-check"),
    (PROFILE, "403", "GET", "/api/datasets/{dataset}"),
    (PROFILE, "corrupted, lasting", "GET", "/train.jsonl"),
]
_START = "import sys; from tunekit_hub.cli import main; sys.exit(main())"
SCENE = {"publish": Publish.name, "check": Fetch.name, "profile": Dataset.name}


def environment(world, folder) -> dict[str, str]:
    """That of the tests, which is clean, with the proxy for a Hub."""
    mine = {"HF_HOME": str(folder / "home"), "HF_ENDPOINT": world.proxy.endpoint, "HF_TOKEN": TOKENS["you"]}
    return {**os.environ, **mine, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize(
    ("command", "fault", "method", "end"), CELLS, ids=lambda value: value[0] if isinstance(value, list) else value
)
def test_a_real_command_says_it_and_goes_on(command, fault, method, end, world, calls, tmp_path):
    made = calls(SCENE[command[0]])
    route = next(one.spot.route for one in made if one.spot.method == method and one.spot.route.endswith(end))
    shutil.rmtree(world.storage.repo_folder("model", TARGET), ignore_errors=True)
    shutil.copytree(world.done, tmp_path / "run")
    runfile.save(world.run, tmp_path / "run")
    arguments = [str(tmp_path / "run") if word == "RUN" else word for word in command]

    def run() -> subprocess.CompletedProcess[str]:
        started = [sys.executable, "-c", _START, *arguments]
        return subprocess.run(
            started, env=environment(world, tmp_path), capture_output=True, text=True, check=False
        )

    world.proxy.arm(Spot(method, route, 1), next(one for one in FAULTS if one.name == fault))
    first = run()
    assert world.proxy.met
    world.proxy.arm()
    assert first.returncode == 1, first.stderr
    assert first.stderr.count("error: ") == 1
    assert "\n\nhint: " in first.stderr
    assert "again" in first.stderr.split("\nhint: ")[1]
    for word in ("Traceback", "httpx", TOKENS["you"]):
        assert word not in first.stdout + first.stderr
    second = run()
    assert second.returncode == 0, second.stderr
