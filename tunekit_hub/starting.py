"""The beginning of a run, or of one of its stages again: what was asked for, and the folder that holds it."""

from __future__ import annotations

from pathlib import Path

from tunekit_hub import extras, runfile, settings, storage, wishes
from tunekit_hub.errors import RunError
from tunekit_hub.facts import Options
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.runfile import Run
from tunekit_hub.version import __version__


def start(options: Options, out: str | Path) -> Run:
    """A new run in `out`, with nothing done yet.

    Raises:
        UsageError: wishes for the publication that contradict each other.
        PlanError: a setting that cannot be.
        RunError: `out` already holds a run that was trained or is in work, or something else.
    """
    out = Path(out)
    settings.check_settings(options.settings)
    wishes.check(options.publishing)
    named_hardware.chosen(options.hardware)  # an unknown name is refused before anything is done
    options = options.but(
        **{name: _absolute(getattr(options, name)) for name in ("source", "test_file", "accelerate_config")}
    )
    if (out / runfile.NAME).exists():
        before = runfile.load(out)
        if before.training is not None or before.status == "running":
            raise RunError(
                f"`{out}` already holds a run",
                f"go on with it: `tunekit-hub resume {out}`; or name another: `--out DIR`",
            )
        (out / "events.jsonl").unlink(missing_ok=True)  # nothing was trained there: it begins anew
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"`{out}` exists and is not an empty folder", "name another: `--out DIR`")
    run = Run(options=options, versions={"tunekit_hub": __version__})
    with storage.writing(out):
        runfile.save(run, out)
    return run


def require_for_training(options: Options) -> None:
    """Said now, not after everything that can be done without it."""
    extras.require("train", "training")
    named_hardware.require_here(named_hardware.chosen(options.hardware))
    extras.require_reporter(options.report_to)


def forget(out: str | Path, stage: str) -> None:
    """Take the result of `stage`, and of what came after it, out of the run in `out`, to do it again."""
    with runfile.locked(Path(out)):
        now = runfile.load(out)
        before = getattr(now, list(runfile.CHAIN)[list(runfile.CHAIN).index(stage) - 1])
        if getattr(now, stage) is not None:
            runfile.save(now.but(record=before, stage=stage, status="paused", error=None), Path(out))


def evaluated(out: str | Path) -> Run:
    """The run in `out`, which can be published.

    Raises:
        RunError: there is none, or it is not evaluated.
    """
    found = runfile.load(out)
    if found.evaluation is None:
        raise RunError(
            f"`{out}` is not evaluated yet, so its card could not say how good the model is",
            f"`tunekit-hub evaluate {out}` first",
        )
    return found


def _absolute(source: str | None) -> str | None:
    """A path that holds from any folder, as the run is gone on with from any; a Hub dataset's id as it is."""
    path = Path(source).expanduser() if source else None
    return str(path.resolve()) if path and path.exists() else source
