"""The benchmark of the profile still runs, and its made-up data is what it says."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parent.parent / "benchmarks" / "profile_scale.py"


def test_a_small_run():
    command = [sys.executable, str(BENCHMARK), "--kinds", "csv", "--sizes", "300", "--repeat", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (row,) = json.loads(done.stdout)
    assert (row["kind"], row["rows"], row["task"]) == ("csv", 300, "classification")
    assert row["notes"]["duplicates"] >= 5
    assert row["notes"]["near-duplicates"] >= 1
    assert {"read", "examine", "duplicates"} <= row["stages"].keys()
