"""What can be said of a publish before there is a model: how large it will be, and what its card will name."""

from __future__ import annotations

import re

from tunekit_hub import card, units
from tunekit_hub.card import license as card_license
from tunekit_hub.errors import PublishError
from tunekit_hub.facts import Finding, Weights
from tunekit_hub.hub import Hub
from tunekit_hub.hub.login import DEFAULT
from tunekit_hub.hub.publisher import Identity
from tunekit_hub.publishing import merging
from tunekit_hub.publishing.contents import LARGEST
from tunekit_hub.records import Plan

_ID = re.compile(r"(?!.*(?:--|\.\.))(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)?[A-Za-z0-9_][A-Za-z0-9._-]*")
# Bytes of private storage, free and paid; https://huggingface.co/docs/hub/storage-limits on 2026-11-21.
PRIVATE = {False: 100_000_000_000, True: 1_000_000_000_000}


def size(plan: Plan, weights: Weights) -> int:
    """About how many bytes the weights will have. Chat models are stored in 16 bits, whole ones we train in 32."""
    if weights == "adapter":
        return plan.memory.adapter
    return merging.predicted(plan.selection.architecture, "bf16" if weights == "merged" else "fp32")


def storage(plan: Plan, weights: Weights, *, private: bool, who: Identity, hub: Hub) -> Finding:
    """Whether there is room: on this machine for merging, on the Hub for what is sent.

    Raises:
        PublishError: merging does not fit this machine.
    """
    sent = size(plan, weights)
    if weights == "merged":
        _refuse_unmergeable(plan, sent)
    message = f"about {units.size(sent)} to send, no file over {units.size(LARGEST)}"
    room = PRIVATE[bool(who.pro)]
    if private and hub.endpoint == DEFAULT and sent > room:
        return Finding(
            check="storage",
            status="warn",
            message=f"{message}; private storage of this account is {units.size(room)}, unless more is paid for",
            fix="publish with `--public`, or with `--weights adapter`",
        )
    return Finding(check="storage", status="pass", message=message)


def ids(plan: Plan) -> Finding:
    """That the base model and the dataset can be linked from the card.

    Raises:
        PublishError: the Hub would refuse one of them.
    """
    fields = card.front_matter(plan, "you/model")
    named = [fields["base_model"], *fields.get("datasets", ())]
    wrong = next((name for name in named if len(name) > 96 or not _ID.fullmatch(name)), None)
    if wrong is not None:
        raise PublishError(
            f"`{wrong}` is no id of the Hub, so a card that names it would be refused",
            "choose another `--model`, or give the data as a file",
        )
    return Finding(
        check="ids", status="pass", message=f"the card can link {', '.join(f'`{name}`' for name in named)}"
    )


def naming(plan: Plan, repo_id: str) -> tuple[Finding, ...]:
    """Where the base model's license asks for a name that the repository does not have."""
    asked = card_license.naming(plan.selection, repo_id)
    fix = "name the repository so; the card will say it too"
    return (Finding(check="naming", status="warn", message=asked, fix=fix),) if asked else ()


def _refuse_unmergeable(plan: Plan, need: int) -> None:
    hardware = plan.selection.request.hardware
    memory = hardware.ram or hardware.memory
    for what, there in (("memory", memory), ("disk", hardware.disk)):
        if need > there:
            raise PublishError(
                f"merging needs about {units.size(need)} of {what}, and {units.size(there)} are free",
                "publish with `--weights adapter`, or on a larger machine",
            )
