"""What a user asked for, as a record; and whether what they wish for a publication makes sense."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import ValidationError

from tunekit_hub.errors import UsageError
from tunekit_hub.facts import Publishing, Record, Weights
from tunekit_hub.records import Plan

Asked = TypeVar("Asked", bound=Record)
MAIN = "main"
_REF = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|\Z)))[A-Za-z0-9_][A-Za-z0-9_./+-]*(?<![./])")


def asked_for(kind: type[Asked], **given: Any) -> Asked:
    """A record of what was asked for.

    Raises:
        UsageError: a field that there is not, or a value that it cannot have.
    """
    try:
        return kind(**given)
    except ValidationError as error:
        wrong = "; ".join(f"`{'.'.join(map(str, e['loc']))}`: {e['msg']}" for e in error.errors())
        raise UsageError(f"wrong options: {wrong}", f"options are: {', '.join(kind.model_fields)}") from error


def settled(publishing: Publishing, asked: dict[str, Any]) -> Publishing:
    """The wishes with some fields changed.

    Raises:
        UsageError: a field that there is not, a value that it cannot have, or wishes that contradict each other.
    """
    wish = asked_for(Publishing, **publishing.model_dump() | asked)
    check(wish)
    return wish


def check(publishing: Publishing) -> None:
    """Refuse wishes that contradict each other, before anything is asked or done.

    Raises:
        UsageError: naming the options.
    """
    if publishing.pull_request and publishing.push_revision not in (None, MAIN):
        raise UsageError(
            "`--pr` proposes a change of `main`, so it goes with no `--revision`", "leave one of them out"
        )
    if publishing.pull_request and publishing.tags:
        raise UsageError(
            "`--tag` names a commit that stays, and a pull request's may not",
            "publish with `--tag` once it is merged",
        )
    for what, name in (("revision", publishing.push_revision), *(("tag", tag) for tag in publishing.tags)):
        if name is not None and (not _REF.fullmatch(name) or name.startswith("refs/") or len(name) > 200):
            raise UsageError(
                f"`{name}` is no name for a branch or tag",
                f"write `--{what}` with letters, digits, `-`, `_`, `.` and `/`, such as v1 or release/2",
            )


def form(plan: Plan, asked: Weights | None) -> Weights:
    """In which form the weights are published.

    Raises:
        UsageError: a form that this training does not leave.
    """
    if asked is None or asked == plan.weights or (asked == "merged" and plan.adapter):
        return asked or plan.weights
    if plan.adapter:
        raise UsageError(
            "`--weights full` is for weights that were trained in full, and here an adapter was trained",
            "`--weights merged` publishes it as one model with its base; `--weights adapter` alone",
        )
    if plan.selection.architecture.kind == "encoder":
        said = (
            f"`--weights {asked}` is for chat models; an encoder is always published whole, ready for a pipeline"
        )
        raise UsageError(said, "leave `--weights` out")
    raise UsageError(
        f"`--weights {asked}` is for an adapter, and here all weights are trained", "leave `--weights` out"
    )
