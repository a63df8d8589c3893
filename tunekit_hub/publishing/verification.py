"""The reload gate against the Hub: what was published, fetched anew and loaded in a fresh process, is the same."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tunekit_hub import extras
from tunekit_hub.errors import HubError, PublishError, ReloadMismatch
from tunekit_hub.hub import Hub
from tunekit_hub.publishing import contents, manifest, merging
from tunekit_hub.records import Evaluation, Plan, Publication, Reload
from tunekit_hub.scores import reload

_FOLDER = ".from-hub-"


def require(evaluation: Evaluation) -> None:
    """That what will be published can be held against what was measured; asked before anything is published.

    Raises:
        MissingExtra: torch is not installed.
        RunError: what was measured is not there any more.
    """
    extras.require("train", "loading what was published")
    reload.kept(Path(evaluation.training.run_dir))


def check(publication: Publication, hub: Hub, say: Callable[[str], None] = lambda _: None) -> Reload:
    """Fetch what was published into an empty folder, load it in a fresh process, and compare.

    The process has no token and asks no Hub, so what it needs is in what was published, or is the pinned base.

    Raises:
        ReloadMismatch: it is not what was measured.
        HubError: the Hub could not be reached, or holds another commit by now.
        RunError: what was measured is not there any more.
    """
    evaluation = publication.evaluation
    run_dir, plan = Path(evaluation.training.run_dir), evaluation.training.plan
    job, measured = reload.kept(run_dir)
    for old in run_dir.glob(f"{_FOLDER}*"):  # of a check that was killed
        shutil.rmtree(old, ignore_errors=True)
    say(f"reload gate: {publication.repo_id} from the Hub, in a fresh process")
    with tempfile.TemporaryDirectory(prefix=_FOLDER, dir=run_dir) as empty:
        fetched = _fetched(publication, hub, Path(empty))
        allowed, gated = 0.0, evaluation.reload.weights
        if publication.weights == "merged":
            whole = merging.merged(evaluation, hub, say)
            allowed, gated = whole.allowed, whole.reload.weights
        _refuse_other_weights(fetched, gated, publication)
        if publication.weights == "adapter":
            _refuse_other_base(fetched, plan)
            base = merging.base_folder(plan, hub, Path(job.model))
            job = reload.Job(job.task, str(base), str(fetched), job.precision, job.payload)
        else:
            job = reload.Job(job.task, str(fetched), None, job.precision, job.payload)
        return reload.gate(job, measured, source="hub", allowed=allowed)


def _fetched(publication: Publication, hub: Hub, empty: Path) -> Path:
    """The published files, as anybody gets them who asks for this commit."""
    proposed = publication.revision.startswith("refs/pr/")
    asked = publication.revision if proposed else publication.commit
    folder = hub.fetch(publication.repo_id, asked, cache=empty)
    if folder.name != publication.commit:
        raise HubError(
            f"`{publication.repo_id}` was changed by someone else meanwhile: it is at {folder.name[:8]}",
            "look at the new commit, then publish again",
        )
    return folder


def _refuse_other_weights(fetched: Path, gated: Mapping[str, str], publication: Publication) -> None:
    """Byte for byte, before anything is loaded."""
    wanted = {name: gated[name] for name in publication.files if name in gated}
    if manifest.fingerprint(fetched) != wanted:
        raise ReloadMismatch(
            f"the weights that `{publication.repo_id}` serves are not the ones that were sent", "publish again"
        )


def _refuse_other_base(fetched: Path, plan: Plan) -> None:
    """What a user's `PeftModel` goes by."""
    config = json.loads((fetched / "adapter_config.json").read_text(encoding="utf-8"))
    named = (config.get("base_model_name_or_path"), config.get("revision"))
    if named != (plan.selection.repo_id, plan.selection.revision):
        raise ReloadMismatch(
            f"the published adapter names `{named[0]}` at `{named[1]}` as its base, and was measured on another",
            "publish again",
        )


def mark(publication: Publication, hub: Hub) -> str:
    """Say on the published card how the model predicts otherwise; the commit that says it."""
    evaluation, form = publication.evaluation, publication.weights or publication.evaluation.training.plan.weights
    run_dir = Path(evaluation.training.run_dir)
    files = contents.beside(evaluation, publication.repo_id, form, publication.mismatch)
    try:
        manifest.refuse_leaks(files, run_dir, hub)
    except PublishError:  # an error of the loading process may quote a path
        files = contents.beside(evaluation, publication.repo_id, form, "what was published cannot be loaded again")
    words = "Say on the card that this model predicts otherwise than what was measured"
    card = {contents.CARD: files[contents.CARD]}
    return hub.amend(publication.repo_id, publication.revision, card, message=words).commit
