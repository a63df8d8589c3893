"""What a publish would do, file by file, with nothing written anywhere: `tunekit-hub publish --dry-run`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunekit_hub import wishes
from tunekit_hub.errors import PublishError
from tunekit_hub.facts import Finding, Publishing
from tunekit_hub.hub import Hub
from tunekit_hub.hub.state import Content, State, size
from tunekit_hub.publishing import contents, destination, manifest, merging, prospects
from tunekit_hub.publishing.destination import Destination
from tunekit_hub.records import Evaluation, Preview, PreviewFile

_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
DEFAULTS = Publishing()
_MERGED = ("config.json", "model.safetensors")


def preview(
    evaluation: Evaluation,
    repo_id: str,
    publishing: Publishing = DEFAULTS,
    *,
    hub: Hub,
    **asked: Any,
) -> Preview:
    """What `publish` would do with the same arguments, and whether it may.

    A merged model that is not there yet is not made: its files are listed with their predicted sizes.

    Raises:
        TunekitError: as `publish`, before its first write.
    """
    wish, plan = wishes.settled(publishing, asked), evaluation.training.plan
    form = wishes.form(plan, wish.weights)
    place = destination.look(repo_id, wish, hub)
    unmade = form == "merged" and not merging.ready(evaluation)
    if unmade:
        files, listed = _unmerged(evaluation, repo_id, hub, place)
    else:
        files = contents.gather(evaluation, repo_id, form, hub).files
        listed = _listed(files, _states(files, place, hub))
    text = files[contents.CARD]
    card = text.decode() if isinstance(text, bytes) else text.read_text(encoding="utf-8")
    changes = unmade or any(one.state != "unchanged" for one in listed)
    return Preview(
        repo_id=repo_id,
        url=f"{hub.endpoint}/{repo_id}",
        exists=place.head is not None,
        private=place.head.private if place.head else wish.private,
        weights=form,
        revision=place.branch,
        pull_request=wish.pull_request,
        message=contents.message(evaluation, form),
        changes=changes,
        to_send=sum(one.size or 0 for one in listed if one.state in ("new", "changed")),
        files=listed,
        tags=wish.tags,
        collection=wish.collection,
        findings=_findings(repo_id, wish, place, hub, card, changes),
        card=card,
    )


def _findings(
    repo_id: str, wish: Publishing, place: Destination, hub: Hub, card: str, changes: bool
) -> tuple[Finding, ...]:
    """What was looked at; whatever is in the way is raised."""
    found = list(place.findings)
    if wish.tags and place.head is not None and changes:
        found.append(destination.check_tags(repo_id, wish.tags, hub.refs(repo_id)))
    if wish.collection:
        found.append(destination.check_collection(repo_id, wish.collection, place.who, hub))
    problems = hub.validate_card(card)
    if problems:
        raise PublishError(
            f"the Hub refuses the model card: {'; '.join(problems)}", "train with another `--model`"
        )
    found.append(Finding(check="card", status="pass", message="the Hub accepts the model card"))
    return tuple(found)


def _states(files: Mapping[str, Content], place: Destination, hub: Hub) -> dict[str, State]:
    return hub.compare(place.head, files) if place.head else dict.fromkeys(files, "new")


def _listed(files: Mapping[str, Content], states: Mapping[str, State]) -> tuple[PreviewFile, ...]:
    """By name, those that would be deleted last."""
    order = sorted(states, key=lambda path: (states[path] == "deleted", path))
    return tuple(
        PreviewFile(path=path, size=size(files[path]) if path in files else None, state=states[path])
        for path in order
    )


def _unmerged(
    evaluation: Evaluation, repo_id: str, hub: Hub, place: Destination
) -> tuple[dict[str, Content], tuple[PreviewFile, ...]]:
    """The files of a merged model that would be made: tokenizer and card as they are, the rest predicted."""
    plan, run_dir = evaluation.training.plan, Path(evaluation.training.run_dir)
    files = manifest.collect(run_dir / "model", plan, "adapter")
    kept = {name: content for name, content in files.items() if name not in _ADAPTER}
    kept |= contents.beside(evaluation, repo_id, "merged")
    manifest.refuse_leaks(kept, run_dir, hub)
    states = _states({**kept, _MERGED[1]: b""}, place, hub)
    predicted = prospects.size(plan, "merged")
    there = place.head.files if place.head else ()
    made = [
        PreviewFile(path=path, size=known, state="changed" if path in there else "new", predicted=True)
        for path, known in zip(_MERGED, (None, predicted), strict=True)
    ]
    listed = _listed(kept, {path: state for path, state in states.items() if path not in _MERGED})
    return kept, (*made, *listed)
