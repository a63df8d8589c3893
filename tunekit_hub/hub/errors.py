"""What went wrong with a call to the Hub: worth another try, a fact about a model, or an error of ours.

The only place that knows huggingface_hub's exceptions. No text made here can hold a token.
"""

from __future__ import annotations

import errno
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from huggingface_hub import errors as client_errors
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import hf_raise_for_status, httpx, parse_ratelimit_headers

from tunekit_hub.errors import AccessDenied, HubError, HubUnreachable, InvalidToken, RepoNotFound, UsageError

TRIES = 4
LONGEST_WAIT = 60.0  # seconds, in all, that one call may spend waiting between its tries
_XET = getattr(client_errors, "XetDownloadError", ConnectionError)  # not in every version
CAUGHT = (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError, RuntimeError, _XET)
T = TypeVar("T")
_AGAIN = (408, 429, 500, 502, 503, 504)
_UPLOAD_REFUSED = (400, 403, 408, 411, 422)  # by the storage: bytes that changed on the way, a link that expired


class Damaged(OSError):
    """Files that arrived, and are not what the Hub holds; its text names them."""


def retried(action: Callable[[], T], sleep: Callable[[float], None], tries: int = TRIES) -> T:
    """What `action` returns, tried again after outages, with growing pauses or those the Hub asks for.

    Args:
        action: One call to the Hub that may be repeated.
        sleep: Waits that many seconds.
        tries: At most this many.
    """
    started, waited = time.monotonic(), 0.0
    for attempt in range(1, tries + 1):
        try:
            return action()
        except CAUGHT as error:
            asked = wait_asked(error)
            pause = 2.0 ** (attempt - 1) * random.uniform(0.8, 1.2) if asked is None else asked
            spent = max(waited, time.monotonic() - started)
            if attempt == tries or not passing(error) or spent + pause > LONGEST_WAIT:
                raise
            waited += pause
            sleep(pause)
    raise AssertionError("unreachable: the last try returns or raises")


def root(error: BaseException) -> BaseException:
    """The error that says it: downloads and uploads wrap theirs."""
    wrapped = isinstance(error, (LocalEntryNotFoundError, RuntimeError)) or type(error) is ValueError
    return root(error.__cause__) if wrapped and error.__cause__ is not None else error


def status(error: BaseException) -> int | None:
    """The HTTP status of an answer; None when there was no answer."""
    return error.response.status_code if isinstance(error, HfHubHTTPError) else None


def outage(error: BaseException) -> str | None:
    """What the outage is, in words; None when the Hub did answer, or this is no Hub error at all."""
    error = root(error)
    code = status(error)
    if code == 429:
        return "too many requests (HTTP 429)"
    if code is not None and _is_upload(error) and code in _UPLOAD_REFUSED:
        return f"the storage did not take an upload (HTTP {code})"
    if code is not None:
        return f"HTTP {code}" if code in _AGAIN or code > 504 else None
    if isinstance(error, OfflineModeIsEnabled):
        return "offline mode is on"
    if isinstance(error, Damaged):
        return f"{error} arrived damaged"
    return _unanswered(error) or _unreadable(error)


def _unanswered(error: BaseException) -> str | None:
    """What kept an answer from coming."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    # The client closes its connections when one of its threads cannot connect; the others meet this.
    closed = isinstance(error, RuntimeError) and "client has been closed" in str(error)
    if isinstance(error, (httpx.TransportError, ConnectionError, _XET)) or closed:
        return f"no connection ({type(error).__name__})"
    if isinstance(error, LocalEntryNotFoundError):
        return "the files are not on this machine, and could not be fetched"
    return None


def _unreadable(error: BaseException) -> str | None:
    """What is wrong with an answer that came."""
    if isinstance(error, json.JSONDecodeError):
        return "the answer is not the Hub's (no JSON)"
    if isinstance(error, FileMetadataError):
        return "the answer is not the Hub's (a file without its headers)"
    if isinstance(error, OSError) and str(error).startswith("Consistency check failed"):
        return "a file arrived cut short"
    if isinstance(error, (httpx.HTTPError, httpx.InvalidURL)) and not isinstance(error, HfHubHTTPError):
        return f"the answer cannot be read ({type(error).__name__})"
    return None


def _is_upload(error: BaseException) -> bool:
    """Whether it is about a large file's bytes, which go to the storage by a link and without a token."""
    try:
        request = error.response.request if isinstance(error, HfHubHTTPError) else None
    except RuntimeError:  # an answer that was made by hand
        return False
    return request is not None and request.method == "PUT" and "Authorization" not in request.headers


def passing(error: BaseException) -> bool:
    """Whether the same call may do better in a moment."""
    cause = root(error)
    final = isinstance(cause, (OfflineModeIsEnabled, LocalEntryNotFoundError, httpx.InvalidURL))
    return outage(cause) is not None and not final


def wait_asked(error: BaseException) -> float | None:
    """Seconds the Hub asks to wait, by `Retry-After` or its rate-limit header."""
    error = root(error)
    return _wait(error.response) if isinstance(error, HfHubHTTPError) else None


def _wait(answer: httpx.Response) -> float | None:
    after = answer.headers.get("Retry-After", "").strip()
    if after.isdigit():
        return float(after)
    if after:
        try:
            return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):  # no date either, or one without a zone
            pass
    limit = parse_ratelimit_headers(answer.headers)
    return float(limit.reset_in_seconds) if limit is not None and limit.remaining == 0 else None


def refuse_long_wait(answer: httpx.Response) -> None:
    """Raise for an answer that asks to wait for long; the client's own loops would sleep however long it is."""
    asked = _wait(answer) if answer.status_code in _AGAIN else None
    if asked is not None and asked > LONGEST_WAIT:
        answer.read()
        hf_raise_for_status(answer)


def translate(error: BaseException, what: str, endpoint: str, token: str | None) -> Exception | None:
    """Our error for this one; None when it has nothing to do with the Hub.

    Args:
        error: What huggingface_hub raised.
        what: What was tried, e.g. "reading the facts of `owner/name`".
        endpoint: The Hub that was asked.
        token: The token in use, so that no text from the Hub can repeat it.
    """
    why = outage(error)
    if why is not None:
        return HubUnreachable(f"{what} failed: {why} at {endpoint}", _way_out(error, endpoint))
    error = root(error)
    code = status(error)
    if isinstance(error, GatedRepoError):
        hint = "ask for access on its page, then run again"
        return AccessDenied(f"{what} failed: the repository is gated", hint)
    if isinstance(error, RepositoryNotFoundError):
        seen = "or this token may not see it" if token else "or it is private and no token was given"
        hint = "check the spelling; if it is private, sign in with `hf auth login`, then run again"
        return RepoNotFound(f"{what} failed: there is no such repository at {endpoint}, {seen}", hint)
    if isinstance(error, (RevisionNotFoundError, EntryNotFoundError)):
        return HubError(f"{what} failed: no such revision or file", "check the revision, then run again")
    if code == 401:
        hint = "sign in with `hf auth login`, unset `HF_TOKEN` if it holds an old token, then run again"
        return InvalidToken(f"{what} failed: {endpoint} does not know this token", hint)
    if code == 403:
        message = f"{what} failed: this token may not do that{_server_words(error, token)}"
        return AccessDenied(message, "sign in with a token that may (`hf auth login`), then run again")
    if code in (409, 412):
        message = f"{what} failed: the repository was changed by someone else meanwhile (HTTP {code})"
        return HubError(message, "look at what is new there, then run again")
    if code is not None:
        return HubError(f"{what} failed: HTTP {code}{_server_words(error, token)}", "correct that, then run again")
    return _local(error, what)


def _local(error: BaseException, what: str) -> Exception | None:
    """Errors of this machine, or of the caller."""
    if isinstance(error, HFValidationError):
        return UsageError(f"{what} failed: that is no repository id", "write it as `owner/name`")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        hint = "free some disk, or point `HF_HOME` to a folder that has room, then run again"
        return HubError(f"{what} failed: cannot write to the Hub cache ({error.strerror})", hint)
    return None


def _way_out(error: BaseException, endpoint: str) -> str:
    wait = wait_asked(error)
    if isinstance(root(error), Damaged):
        return "something on the way changes files, such as a proxy; try another network, then run again"
    if isinstance(root(error), OfflineModeIsEnabled):
        return "unset `HF_HUB_OFFLINE` to let it ask the Hub, then run again"
    if wait is not None:
        return f"wait {wait:.0f} seconds, then run again"
    return f"check the connection and that {endpoint} is up, then run again"


def _server_words(error: BaseException, token: str | None) -> str:
    """What the Hub itself says, on one line, without the token."""
    said = " ".join((getattr(error, "server_message", None) or "").split())[:300]
    return f": {said.replace(token, '…') if token else said}" if said else ""
