"""One run, or one publish, in a process of its own: `python -m tunekit_hub.runs.worker FOLDER`, the job on stdin.

The job comes over the pipe because a token is in it. Without one, the process that was to send it is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import IO, Any

from tunekit_hub import errors
from tunekit_hub.errors import RunError, TunekitError

TERMINATED = 128 + signal.SIGTERM


def main() -> int:
    """Do the job; the exit code is that of the command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    out, folder = own_stdout(), Path(sys.argv[1])
    text = sys.stdin.read()
    sys.stdin.close()
    if not text.strip():
        return TERMINATED
    job = json.loads(text)
    try:
        answer = (_publish if job.get("publishing") else _run)(folder, job)
    except TunekitError as error:
        tell(out, {"error": plain_error(error)})
        return error.exit_code
    tell(out, answer)
    return 0


def own_stdout() -> IO[str]:
    """What this process answers by; whatever libraries print goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def tell(out: IO[str], answer: dict[str, Any]) -> None:
    """One line of JSON; nobody may be listening any more."""
    try:
        out.write(json.dumps(answer, ensure_ascii=False) + "\n")
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def plain_error(error: TunekitError) -> dict[str, str]:
    """An error of ours, to be raised again in another process."""
    return {"kind": type(error).__name__, "message": error.message, "hint": error.hint}


def error_of(plain: dict[str, str]) -> TunekitError:
    """The error that `plain_error` has told of."""
    kind = getattr(errors, plain["kind"], RunError)
    return kind(plain["message"], plain["hint"])


def _hub(job: dict[str, Any]) -> Any:
    from tunekit_hub.hub import Hub

    return Hub(job.get("token") or False, job["endpoint"])


def _run(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Go on with the run in `folder`, after asking whether its visitor may still read what it is made from."""
    from tunekit_hub import dataset_ids, pipeline, runfile
    from tunekit_hub.hub import spaces as hub_spaces
    from tunekit_hub.runs import measuring

    hub, now = _hub(job), runfile.load(folder)
    for source in (now.options.source, now.options.test_file):
        if source and (dataset := dataset_ids.parse(source)):
            try:
                hub_spaces.check_dataset(hub, dataset)
                if now.profile is None:  # it may have grown since somebody looked
                    measuring.refuse_large_dataset(hub, dataset, job["max_upload"], job["max_unpacked"])
            except TunekitError as error:
                _fail(folder, error)
                raise
    return {"status": pipeline.resume(folder, hub=hub).status}


def _fail(folder: Path, error: TunekitError) -> None:
    from tunekit_hub import runfile

    with runfile.locked(folder):
        failure = runfile.Failure(code=error.code, message=error.message, hint=error.hint)
        runfile.save(runfile.load(folder).but(status="failed", error=failure), folder)


def _publish(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Publish what was evaluated in `folder`."""
    from tunekit_hub import pipeline

    asked = dict(job["publishing"])
    done = pipeline.publish(folder, asked.pop("push_to") or "", hub=_hub(job), **asked)
    return {"status": done.status}


if __name__ == "__main__":
    sys.exit(main())
