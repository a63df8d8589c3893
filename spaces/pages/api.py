"""The read-only calls as an API with stable names, and as MCP tools: profile, recommend, check, plan.

They train nothing, publish nothing and keep nothing. Data are a dataset of the Hub, an example, or the handle of
an upload of the same visitor. Shapes are those of the command line's `--json`.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from pages import form, session
from tunekit_hub import runs, shapes
from tunekit_hub.errors import TunekitError

NAMES = ("profile", "recommend", "check", "plan")
AT_ONCE = 6  # of each call; they are work for the processor, and more threads only get in one another's way


def build() -> None:
    """Adds the calls to the app."""
    for call in (profile, recommend, check, plan):
        gr.api(_said(call), api_name=call.__name__, concurrency_limit=AT_ONCE)


def _said(call: Any) -> Any:
    """The call, with errors of ours as text: message and hint."""
    from functools import wraps

    @wraps(call)
    def answered(*values: Any, **named: Any) -> Any:
        try:
            return call(*values, **named)
        except TunekitError as error:
            hint = f". {error.hint}" if error.hint else ""
            raise gr.Error(f"{error.message}{hint}", print_exception=False) from None

    return answered


def profile(request: gr.Request, data: str, task: str = "", columns: str = "") -> dict:  # noqa: D417, Gradio gives the request
    """What a dataset holds: its task, rows, labels, languages, token lengths, repeated rows, what is odd about it.

    Args:
        data: A dataset of the Hub (`owner/name`), or one of example-chat, example-classification, example-ner.
        task: classification, ner or instruction_tuning; left empty, it is recognised.
        columns: Which column is which, such as `text=message, label=topic`, where they are not recognised.
    """
    me = session.caller(request)
    found = session.service().profile(me.visitor, form.options(data, task, columns), me.token)
    return shapes.profile_json(found)


def recommend(  # noqa: D417, Gradio gives the request
    request: gr.Request,
    data: str,
    description: str = "",
    use: str = "commercial",
    hardware: str = "",
    model: str = "",
) -> dict:
    """The base model to fine-tune on a dataset: what the rules pick, and the first that every check allows.

    Args:
        data: A dataset of the Hub (`owner/name`), or one of example-chat, example-classification, example-ner.
        description: What the model is for, in a sentence.
        use: commercial or research; licenses are held against it.
        hardware: The machine to train on, such as l4x1, a100-large or 24GB; left empty, the one this app runs on.
        model: A model of the Hub to check instead of following the rules.
    """
    me = session.caller(request)
    options = form.options(data, "", "", "", description, use, hardware, model)
    service = session.service()
    chosen = service.select(me.visitor, options, me.token)
    return {
        "profile": shapes.profile_json(chosen.recommendation.profile),
        "recommendation": shapes.recommendation_json(chosen.recommendation),
        "selection": shapes.selection_json(chosen.selection) if chosen.selection else None,
        "verdicts": shapes.verdicts_json(chosen.verdicts),
    }


def check(request: gr.Request, models: str, use: str = "commercial", hardware: str = "") -> dict:  # noqa: D417, Gradio gives the request
    """Whether models may and can be fine-tuned: access, license, size, files, each with its reason and a way out.

    Args:
        models: Models of the Hub, with commas between them.
        use: commercial or research; licenses are held against it.
        hardware: The machine to train on, such as l4x1, a100-large or 24GB; left empty, the one this app runs on.
    """
    me = session.caller(request)
    wanted = runs.options(source="example-chat", use=use, hardware=hardware.strip() or None)
    found = session.service().check(me.visitor, form.listed(models), wanted, me.token)
    return {"verdicts": shapes.verdicts_json(found)}


def plan(  # noqa: D417, Gradio gives the request
    request: gr.Request,
    data: str,
    description: str = "",
    use: str = "commercial",
    hardware: str = "",
    model: str = "",
) -> dict:
    """The plan of a training: every setting with its reason, memory by component, time and cost.

    Args:
        data: A dataset of the Hub (`owner/name`), or one of example-chat, example-classification, example-ner.
        description: What the model is for, in a sentence.
        use: commercial or research; licenses are held against it.
        hardware: The machine to train on, such as l4x1, a100-large or 24GB; left empty, the one this app runs on.
        model: A model of the Hub to plan for instead of following the rules.
    """
    me = session.caller(request)
    options = form.options(data, "", "", "", description, use, hardware, model)
    found = session.service().plan(me.visitor, options, me.token)
    return found.model_dump(mode="json", exclude={"selection"}) | {"model": found.selection.repo_id}
