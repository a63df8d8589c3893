"""Stage 7: the model on the Hub, in one commit; and its rehearsal, before hours of training."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tunekit_hub import answers, card, manifest
from tunekit_hub.errors import AccessDenied, PublishError, ReloadMismatch
from tunekit_hub.facts import Finding, Options
from tunekit_hub.hub import Hub
from tunekit_hub.records import Evaluation, Plan, Publication, Rehearsal
from tunekit_hub.wording import METHODS

CARD = "README.md"
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
_REPO_ID = re.compile(rf"(?!.*(?:--|\.\.))(?=.{{3,96}}\Z){_PART}/{_PART}(?<!\.git)")
_FRONT_MATTER = re.compile(r"\A\s*---\r?\n(.*?)\r?\n---(?:\r?\n|\Z)", re.DOTALL)


def rehearse(plan: Plan, repo_id: str, *, private: bool, hub: Hub) -> Rehearsal:
    """Try everything about the publish that can be tried before there is a model.

    Args:
        plan: what will be trained.
        repo_id: where it is to go, `namespace/name`.
        private: whether the repo is to be private.
        hub: with the token that will publish.

    Raises:
        InvalidToken: the Hub does not know the token.
        AccessDenied: there is no token, or it may not write there.
        PublishError: the name is not legal, the repo holds another model, or the card is refused.
    """
    user = hub.whoami()
    found = [_passed("token", f"signed in as `{user}`")]
    exists, where = _target(repo_id, user, private, hub)
    found += where
    problems = hub.validate_card(card.rehearsal(plan, repo_id))
    if problems:
        raise PublishError(
            f"the Hub refuses the model card: {'; '.join(problems)}",
            "the card is made from the base model's license and the data's language; choose another `--model`",
        )
    found.append(_passed("card", "the Hub accepts the model card"))
    return Rehearsal(repo_id=repo_id, user=user, exists=exists, private=private, findings=tuple(found))


def publish(
    evaluation: Evaluation,
    repo_id: str,
    *,
    private: bool = Options.model_fields["private"].default,
    hub: Hub | None = None,
) -> Publication:
    """Publish what was evaluated: adapter or weights, tokenizer, card; one commit, none if nothing changed.

    Args:
        evaluation: of a run whose folder holds the model.
        repo_id: `namespace/name`; made if it is not there.
        private: whether a new repo is private.
        hub: where to; by default `HF_ENDPOINT` and `HF_TOKEN` as everywhere.

    Raises:
        ReloadMismatch: the saved files did not give the answers that were measured.
        AccessDenied: this token may not write there.
        PublishError: a file is missing, or holds a path or a token, or the repo holds another model.
    """
    if not evaluation.reload.passed:
        raise ReloadMismatch(
            "the saved files did not give the answers that were measured, so they are not published",
            "evaluate again, or train again in a new folder",
        )
    hub = hub or Hub()
    plan, run_dir = evaluation.training.plan, Path(evaluation.training.run_dir)
    _target(repo_id, hub.whoami(), private, hub)
    files = manifest.collect(run_dir / "model", plan)
    files |= {name: run_dir / name for name in evaluation.files if name in card.PICTURES}
    told = answers.read(run_dir / answers.NAME) if answers.NAME in evaluation.files else ()
    text = card.render(evaluation, repo_id, told)
    files[CARD] = text.encode()  # last, so that no library's own card can take its place
    manifest.refuse_leaks(files, run_dir, hub)
    now = {name: digest for name, digest in manifest.fingerprint(run_dir / "model").items() if name in files}
    if any(evaluation.reload.weights.get(name) != digest for name, digest in now.items()):
        raise PublishError(
            f"the weights in `{run_dir / 'model'}` are not the ones that were evaluated, as the card says",
            "train and evaluate again in a new folder",
        )
    message = f"{METHODS[plan.method]} of {plan.selection.repo_id}, with TuneKit Hub"
    push = hub.push(repo_id, files, message=message, private=private)
    return Publication(
        evaluation=evaluation,
        repo_id=repo_id,
        url=push.url,
        commit=push.commit,
        private=push.private,
        changed=push.changed,
        files=tuple(files),
    )


def _target(repo_id: str, user: str, private: bool, hub: Hub) -> tuple[bool, list[Finding]]:
    """Whether the repo exists, and that this token may write there without harm to another model."""
    if "/" not in repo_id:
        raise PublishError(f"`{repo_id}` does not say whose repository it is", f"write `{user}/{repo_id}`")
    if not _REPO_ID.fullmatch(repo_id):
        raise PublishError(
            f"`{repo_id}` is not a name the Hub allows",
            "write `namespace/name`: letters, digits, `-`, `_` and `.`, 96 in all, no `--` or `..`",
        )
    access = hub.write_access(repo_id)
    there = hub.head(repo_id) if access is not None else None
    if there is None:
        namespace, owned = repo_id.partition("/")[0], hub.namespaces()
        if namespace not in owned:
            raise AccessDenied(
                f"this token cannot create `{repo_id}`: `{user}` may not write to `{namespace}`",
                f"use one of your own: {', '.join(f'`{name}`' for name in owned)}",
            )
        return False, [_passed("write access", f"`{namespace}` is yours"), _passed("name", f"`{repo_id}` is free")]
    if not access:
        raise AccessDenied(
            f"`{repo_id}` exists and this token may not write to it",
            f"sign in with a token that has write access, or name another: `{user}/{repo_id.partition('/')[2]}`",
        )
    if private and not there.private:
        raise PublishError(
            f"`{repo_id}` is public, and the model was to be private",
            "publish with `--public`, make the repository private on the Hub, or name a new one",
        )
    held = manifest.weights(there.files)
    if held and not _ours(hub.read_text(repo_id, CARD)):
        raise PublishError(
            f"`{repo_id}` holds another model ({held[0]}), which publishing would overwrite",
            "name a repository that is new, or was published with TuneKit Hub",
        )
    said = "holds an earlier model of ours" if held else "holds no model yet"
    return True, [_passed("write access", f"may write to `{repo_id}`"), _passed("name", f"the repository {said}")]


def _ours(text: str | None) -> bool:
    """Whether a card carries our tag."""
    header = _FRONT_MATTER.match(text or "")
    if not header:
        return False
    try:
        fields = yaml.safe_load(header[1])
    except yaml.YAMLError:  # a card that we cannot read is not ours
        return False
    return isinstance(fields, dict) and card.TAG in (fields.get("tags") or [])


def _passed(check: str, message: str) -> Finding:
    return Finding(check=check, status="pass", message=message)
