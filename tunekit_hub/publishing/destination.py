"""Where a model is to go: who may write there, and what is there already."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from tunekit_hub import card
from tunekit_hub.errors import AccessDenied, PublishError
from tunekit_hub.facts import Finding, Publishing
from tunekit_hub.hub import Hub
from tunekit_hub.hub.publisher import Identity
from tunekit_hub.hub.state import MAIN, Head, Refs
from tunekit_hub.publishing import manifest
from tunekit_hub.publishing.contents import CARD

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
_REPO_ID = re.compile(rf"(?!.*(?:--|\.\.))(?=.{{3,96}}\Z){_PART}/{_PART}(?<!\.git)")
_FRONT_MATTER = re.compile(r"\A\s*---\r?\n(.*?)\r?\n---(?:\r?\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Destination:
    """A place that this token may publish to."""

    who: Identity
    branch: str
    head: Head | None  # what is there, at the branch or where the branch will begin; None: no repository yet
    findings: tuple[Finding, ...]


def look(repo_id: str, publishing: Publishing, hub: Hub) -> Destination:
    """Ask the Hub who this token is, whether it may write there, and what is there.

    Raises:
        AccessDenied: there is no token, or it may not write there.
        InvalidToken: the Hub does not know the token.
        PublishError: the name is not legal, the repo holds another model, or is seen by others than was asked.
    """
    who = hub.identity()
    _check_name(repo_id, who.name)
    access = hub.write_access(repo_id)
    there = hub.head(repo_id) if access is not None else None
    found = [_passed("token", f"signed in as `{who.name}`")]
    branch = publishing.push_revision or MAIN
    if there is None:
        return Destination(who, branch, None, (*found, *_free(repo_id, publishing, who)))
    if not access and not publishing.pull_request:
        own = f"{who.name}/{repo_id.partition('/')[2]}"
        raise AccessDenied(
            f"`{repo_id}` exists and this token may not write to it",
            f"sign in with a token that may, then run again; or propose it with `--pr`, or name another: `{own}`",
        )
    may = f"may write to `{repo_id}`" if access else f"may propose changes of `{repo_id}`"
    _check_visibility(repo_id, publishing, there)
    if branch != MAIN and branch in (refs := hub.refs(repo_id)).branches:
        there = hub.head(repo_id, branch) or there
        found.append(_passed("branch", f"`{branch}` is there, at {refs.branches[branch][:8]}"))
    held = manifest.weights(there.files)
    ours = not held or _ours(hub.read_text(repo_id, CARD, there.commit))
    said = "holds an earlier model of ours" if held else "holds no model yet"
    if not ours:
        said = _another(repo_id, held[0], publishing, bool(access))
    found += [_passed("write access", may), _passed("name", f"the repository {said}")]
    return Destination(who, branch, there, tuple(found))


def check_tags(repo_id: str, tags: tuple[str, ...], refs: Refs) -> Finding:
    """That tags which will name a new commit are free.

    Raises:
        PublishError: one is taken.
    """
    taken = next((tag for tag in tags if tag in refs.tags), None)
    if taken:
        raise PublishError(
            f"`{repo_id}` has a tag `{taken}` already, at {refs.tags[taken][:8]}, and tags stay put",
            "name another `--tag`, or delete this one on the Hub first",
        )
    return _passed("tags", f"free: {', '.join(f'`{tag}`' for tag in tags)}")


def check_collection(repo_id: str, wanted: str, who: Identity, hub: Hub) -> Finding:
    """That the collection can be added to, or made.

    Raises:
        HubError: there is none of this slug.
        AccessDenied: it is somebody else's.
    """
    slug = hub.find_collection(wanted, repo_id.partition("/")[0])
    whose = (slug or repo_id).partition("/")[0]
    if whose not in who.writes_to:
        raise AccessDenied(
            f"the collection would be `{whose}`'s, and `{who.name}` may not change it",
            "name one of your own: `--collection TITLE`",
        )
    return _passed("collection", f"will be added to `{slug}`" if slug else f"`{wanted}` will be made")


def _check_name(repo_id: str, user: str) -> None:
    if "/" not in repo_id:
        raise PublishError(f"`{repo_id}` does not say whose repository it is", f"write `{user}/{repo_id}`")
    if not _REPO_ID.fullmatch(repo_id):
        raise PublishError(
            f"`{repo_id}` is not a name the Hub allows",
            "write `namespace/name`: letters, digits, `-`, `_` and `.`, 96 in all, no `--` or `..`",
        )


def _free(repo_id: str, publishing: Publishing, who: Identity) -> tuple[Finding, ...]:
    """A repository that would be created."""
    if publishing.pull_request:
        raise PublishError(
            f"there is no `{repo_id}` to propose a change of, or this token may not see it",
            "leave `--pr` out: the repository will be created",
        )
    namespace = repo_id.partition("/")[0]
    if namespace not in who.writes_to:
        raise AccessDenied(
            f"this token cannot create `{repo_id}`: `{who.name}` may not write to `{namespace}`",
            f"use one of your own: {', '.join(f'`{name}`' for name in who.writes_to)}"
            if who.writes_to
            else "this token only reads; sign in with one that may write: `hf auth login`",
        )
    return _passed("write access", f"`{namespace}` is yours"), _passed("name", f"`{repo_id}` is free")


def _check_visibility(repo_id: str, publishing: Publishing, there: Head) -> None:
    """An existing repository keeps its visibility, with all of its history, so it has to be the one asked for."""
    if publishing.private and not there.private:
        raise PublishError(
            f"`{repo_id}` is public, and the model was to be private",
            "publish with `--public`, make the repository private on the Hub, or name a new one",
        )
    if not publishing.private and there.private:
        raise PublishError(
            f"`{repo_id}` is private, and the model was to be public; its earlier versions would be shown too",
            "publish without `--public`, make the repository public in its settings first, or name a new one",
        )


def _another(repo_id: str, name: str, publishing: Publishing, access: bool) -> str:
    """What is said of a repository with another model, where it may be changed."""
    if publishing.pull_request:
        return "holds another model; its owner decides about the pull request"
    if publishing.overwrite:
        return "holds another model, which will be overwritten as asked; earlier commits keep it"
    replace = ", replace the model with `--overwrite`" if access else ""
    raise PublishError(
        f"`{repo_id}` holds another model ({name}), which publishing would overwrite",
        f"propose it with `--pr`{replace}, or name a repository that is new or was published with TuneKit Hub",
    )


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
