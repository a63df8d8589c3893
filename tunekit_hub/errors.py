"""Every error TuneKit Hub raises on purpose.

TunekitError                        message (what was found, why it matters), hint (what to do next)
├── UsageError        (ValueError)      an argument that cannot mean anything; exit 2
├── DataError         (ValueError)      the data cannot be read, or fits no task; names lines
├── RegistryError     (ValueError)      model_registry.json is wrong; lists every problem at once
├── HubError          (OSError)         the Hub refused or could not be reached
│   ├── RepoNotFound                        no such repo, or this token may not see it
│   ├── AccessDenied                        the repo is there; this token may not do that
│   ├── InvalidToken                        the Hub does not know this token
│   └── HubUnreachable                      an outage: never a reason to fall back
├── NoUsableModel     (LookupError)     .verdicts says why each candidate was turned down; exit 3
├── PlanError         (ValueError)      nothing sensible can be planned from these settings
├── SupervisionError  (ValueError)      the rows would not train what they should
├── TrainingFailed    (RuntimeError)
├── ReloadMismatch    (RuntimeError)    the saved files do not give the answers that were measured
├── PublishError      (RuntimeError)    what would be published is not fit to be
├── RunError          (ValueError)      a run folder that is missing, broken, or made from other data
├── StorageError      (OSError)         the disk is full, or a folder cannot be written
└── MissingExtra      (ImportError)     a part of the package that is not installed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunekit_hub.records import Verdict


class TunekitError(Exception):
    """Base of all: `message` says what was found and why it matters, `hint` what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def code(self) -> str:
        """The class name in kebab case, as `run.json` and `--json` carry it."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


class UsageError(TunekitError, ValueError):
    """An argument that cannot mean anything."""

    exit_code = 2


class DataError(TunekitError, ValueError):
    """The data cannot be read, or fits no task."""


class RegistryError(TunekitError, ValueError):
    """`model_registry.json` is wrong."""


class HubError(TunekitError, OSError):
    """The Hub refused or could not be reached."""


class RepoNotFound(HubError):
    """No such repo, or this token may not see it."""


class AccessDenied(HubError):
    """The repo is there, and this token may not do that."""


class InvalidToken(HubError):
    """The Hub does not know this token."""


class HubUnreachable(HubError):
    """No answer, or only 429 and 5xx, after retries."""


class NoUsableModel(TunekitError, LookupError):
    """Every candidate was turned down; `verdicts` says why."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "", verdicts: tuple[Verdict, ...] = ()):
        super().__init__(message, hint)
        self.verdicts = verdicts


class PlanError(TunekitError, ValueError):
    """Nothing sensible can be planned from these settings."""


class SupervisionError(TunekitError, ValueError):
    """The rows would not train what they should."""


class TrainingFailed(TunekitError, RuntimeError):
    """Training stopped for a reason that is named."""


class ReloadMismatch(TunekitError, RuntimeError):
    """The saved files do not give the answers that were measured."""


class PublishError(TunekitError, RuntimeError):
    """What would be published is not fit to be."""


class RunError(TunekitError, ValueError):
    """A run folder that is missing, broken, or made from other data."""


class StorageError(TunekitError, OSError):
    """The disk is full, or a folder cannot be written."""


class MissingExtra(TunekitError, ImportError):
    """A part of the package that is not installed."""
