"""A worker without torch: its run's description says what it does. Speaks the protocol of `runs/worker.py`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> int:
    text = sys.stdin.read()
    if not text.strip():
        return 143
    job, folder = json.loads(text), Path(sys.argv[2])
    path = folder / "run.json"
    run = json.loads(path.read_text())
    what = run["options"]["description"]

    def save(**changes) -> None:
        half = path.with_suffix(".half")
        half.write_text(json.dumps(run | changes))
        half.replace(path)

    def stopped(*_: object) -> None:
        save(status="interrupted")
        sys.exit(143)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if what == "deaf" else stopped)
    goes = folder / "goes"
    before = int(goes.read_text()) if goes.exists() else 0
    goes.write_text(str(before + 1))
    (folder / "token").write_text("with" if job["token"] else "without")
    (folder / "environment").write_text(json.dumps(dict(os.environ)))
    save(status="running", stage="training")
    with (folder / "events.jsonl").open("a") as events:
        events.write(
            json.dumps({"event": "step", "step": before + 1, "steps": 9, "loss": 2.0 - before} | STEP) + "\n"
        )
    if what == "die always" or (what == "die once" and not before):
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "crash":
        return 1
    if what == "fail":
        save(status="failed", error={"code": "data-error", "message": f"`{folder}` is bad", "hint": "mend it"})
        return 1
    deadline = time.monotonic() + 60
    while (
        what in ("sleep", "deaf", "slow once")
        and time.monotonic() < deadline
        and not (what == "slow once" and before)
    ):
        time.sleep(0.01)
    save(status="done", stage="evaluation")
    return 0


STEP = {"tokens_per_second": 100.0, "seconds_left": 8.0}

if __name__ == "__main__":
    sys.exit(main())
