"""What a publish consists of: every file, by its name in the repository, looked through and ready to be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunekit_hub import card, units
from tunekit_hub.card import license as card_license
from tunekit_hub.errors import PublishError, ReloadMismatch
from tunekit_hub.facts import Weights
from tunekit_hub.hub import Hub
from tunekit_hub.hub.state import Content, size
from tunekit_hub.publishing import manifest, merging
from tunekit_hub.records import Evaluation
from tunekit_hub.scores import answers
from tunekit_hub.wording import METHODS

CARD = "README.md"
NOTICE = "NOTICE"
LARGEST = 50_000_000_000  # bytes of one file that the Hub takes; https://huggingface.co/docs/hub/storage-limits


@dataclass(frozen=True)
class Contents:
    """Files, and the hash of each weights file among them, as it passed the reload gate."""

    files: Mapping[str, Content]
    weights: Mapping[str, str]


def gather(
    evaluation: Evaluation,
    repo_id: str,
    weights: Weights,
    hub: Hub,
    say: Callable[[str], None] = lambda _: None,
) -> Contents:
    """All that is to be published; a merged model is made here if need be.

    Raises:
        ReloadMismatch: the files do not give the answers that were measured.
        PublishError: a file is missing, too large, has changed, or holds a path or a token.
    """
    if not evaluation.reload.passed:
        raise ReloadMismatch(
            "the saved files did not give the answers that were measured, so they are not published",
            "evaluate again, or train again in a new folder",
        )
    plan, run_dir = evaluation.training.plan, Path(evaluation.training.run_dir)
    folder, gated = run_dir / "model", evaluation.reload
    files = manifest.collect(folder, plan, plan.weights)
    manifest.refuse_leaks(files, run_dir, hub)
    _refuse_changed(folder, files, gated.weights)
    if weights == "merged":
        whole = merging.merged(evaluation, hub, say)
        files, gated = manifest.collect(whole.folder, plan, weights), whole.reload
    files |= beside(evaluation, repo_id, weights)
    manifest.refuse_leaks(files, run_dir, hub)
    refuse_too_large(files)
    return Contents(files, {name: digest for name, digest in gated.weights.items() if name in files})


def beside(evaluation: Evaluation, repo_id: str, weights: Weights, mismatch: str = "") -> dict[str, Content]:
    """The card, its pictures, and what the license wants beside it.

    Last, so that no library's own card can take their place.
    """
    run_dir = Path(evaluation.training.run_dir)
    files: dict[str, Content] = {name: run_dir / name for name in card.pictures(evaluation)}
    notices = card_license.notices(evaluation.training.plan.selection)
    if notices:
        files[NOTICE] = ("\n".join(notices) + "\n").encode()
    told = answers.read(run_dir / answers.NAME) if answers.NAME in evaluation.files else ()
    text = card.render(evaluation, repo_id, told, weights=weights, mismatch=mismatch)
    return files | {CARD: text.encode()}


def message(evaluation: Evaluation, weights: Weights) -> str:
    """What the commit says."""
    plan = evaluation.training.plan
    into = ", merged into it" if weights == "merged" else ""
    return f"{METHODS[plan.method]} of {plan.selection.repo_id}{into}, with TuneKit Hub"


def refuse_too_large(files: Mapping[str, Content]) -> None:
    """The Hub would refuse the file after hours of sending.

    Raises:
        PublishError: naming it.
    """
    name = next((name for name, content in files.items() if size(content) > LARGEST), None)
    if name:
        raise PublishError(
            f"`{name}` has {units.size(size(files[name]))}, and the Hub takes no file over {units.size(LARGEST)}",
            "save the weights in smaller parts: `save_pretrained(…, max_shard_size='5GB')`",
        )


def _refuse_changed(folder: Path, files: Mapping[str, Content], gated: Mapping[str, str]) -> None:
    now = {name: digest for name, digest in manifest.fingerprint(folder).items() if name in files}
    if any(gated.get(name) != digest for name, digest in now.items()):
        raise PublishError(
            f"the weights in `{folder}` are not the ones that were evaluated, as the card says",
            "train and evaluate again in a new folder",
        )
