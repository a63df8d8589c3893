"""The service behind the Space: visitors, their data and their runs, which worker processes train.

    from tunekit_hub import runs

    service = runs.Service(root, runs.Settings.from_environment())
    service.start()                                     # picks up the queue of an earlier process
    ada = runs.Visitor("ada")                           # never with a token
    upload = service.keep(ada, "/tmp/x.csv", "tickets.csv")
    options = runs.options(source=upload.handle, description="sort tickets", model=None)
    profile = service.profile(ada, options, token)
    choice = service.select(ada, options, token)        # a selection, or why there is none
    run = service.submit(ada, options, token)           # its id
    service.state(ada, run).status

A token is an argument of the call that needs it, and in memory for as long as its run waits or works; it goes to
the run's process over a pipe. It is not in the records, the database, the environment or the logs. None means no
token at all, never that of the owner of the machine.

Whatever is another visitor's is as good as not there: `RunError`, with the same words. All errors are those of
`tunekit_hub.errors`, with a message and a hint; paths of this machine are not in them.

    service.py     the calls that change something, on top of reading.py (runs) and looking.py (data and models)
    settings.py    the limits           visitors.py, whose.py   who somebody is
    store.py       SQLite: who owns what, what waits, what works
    uploads.py     data that visitors give    measuring.py   how large they are, unpacked
    supervisor.py  starts workers, watches them, ends them; a killed one is resumed once
    worker.py      one run, or one publish, in a process of its own
    talking.py     a tuned model that answers, in a process of its own
    states.py      what a run looks like from outside      shown.py       records without paths of this machine
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunekit_hub.facts import Options as Options
    from tunekit_hub.facts import Publishing as Publishing
    from tunekit_hub.runs.looking import Choice as Choice
    from tunekit_hub.runs.looking import hardware_names as hardware_names
    from tunekit_hub.runs.looking import options as options
    from tunekit_hub.runs.service import Service as Service
    from tunekit_hub.runs.settings import Settings as Settings
    from tunekit_hub.runs.states import Progress as Progress
    from tunekit_hub.runs.states import RunState as RunState
    from tunekit_hub.runs.uploads import Upload as Upload
    from tunekit_hub.runs.visitors import Visitor as Visitor
    from tunekit_hub.runs.whose import Local as Local
    from tunekit_hub.runs.whose import local as local

# Public name → its module. They load on first use: a worker does not need the service.
_HOMES = {
    "Choice": "runs.looking",
    "Local": "runs.whose",
    "Options": "facts",
    "Publishing": "facts",
    "Progress": "runs.states",
    "RunState": "runs.states",
    "Service": "runs.service",
    "Settings": "runs.settings",
    "Upload": "runs.uploads",
    "Visitor": "runs.visitors",
    "hardware_names": "runs.looking",
    "local": "runs.whose",
    "options": "runs.looking",
}

__all__ = [
    "Choice",
    "Local",
    "Options",
    "Publishing",
    "Progress",
    "RunState",
    "Service",
    "Settings",
    "Upload",
    "Visitor",
    "hardware_names",
    "local",
    "options",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tunekit_hub.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
