"""What every event of the pages has in common: the caller's identity goes in, errors come out in words."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import gradio as gr

from pages import look, session
from pages.turns import OF_PAGES, RUN
from tunekit_hub.errors import TunekitError

# Events of the page itself: no names in the API, nothing for MCP, and visitors do not wait for one another.
QUIET: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": 16, "show_progress": "hidden"}
BUSY: dict[str, Any] = {**QUIET, "show_progress": "minimal"}


@contextmanager
def told() -> Generator[None]:
    """Errors of ours, with message and hint, as what Gradio shows."""
    try:
        yield
    except TunekitError as error:
        hint = f"<br>{look.prose(_capital(error.hint))}" if error.hint else ""
        raise gr.Error(
            look.prose(_capital(error.message)) + hint, duration=None, title="Not done", print_exception=False
        ) from None


def of_visitor(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler of the page: its first argument becomes the caller, found from the request.

    The others are the values of its inputs, in order.
    """

    @wraps(handler)
    def answered(request: gr.Request, *values: Any) -> Any:
        with told():
            return handler(session.caller(request), *values)

    answered.__annotations__ = {"request": gr.Request}
    del answered.__wrapped__  # Gradio looks at the signature: the request is its first parameter
    return answered


def of_run(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The same for what is asked of a run, the first input: not shown where the page shows another run by then."""

    def unless_late(me: session.Caller, run: str, *values: Any) -> Any:
        answer = handler(me, run, *values)
        if answer is None or OF_PAGES.what(me.page, RUN) in (None, run):
            return answer
        return tuple(gr.skip() for _ in answer) if isinstance(answer, tuple) else gr.skip()

    return of_visitor(wraps(handler)(unless_late))


def of_click(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a click on a button in our own HTML: the second argument is its (action, value)."""

    @wraps(handler)
    def answered(request: gr.Request, event: gr.EventData, *values: Any) -> Any:
        said = event._data if isinstance(event._data, dict) else {}
        if not said.get("action"):
            return gr.skip()
        with told():
            return handler(session.caller(request), (said["action"], str(said.get("value", ""))), *values)

    answered.__annotations__ = {"request": gr.Request, "event": gr.EventData}
    del answered.__wrapped__
    return answered


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
