"""The faults: what can happen to a call on its way to the Hub and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from fault_exchange import Exchange
from fault_proxy import Answer, Fault, Seen

LONG = 300  # seconds that nobody waits for while a command runs


def _anything(seen: Seen) -> bool:
    return True


def _has_body(seen: Seen) -> bool:
    return seen.sent > 1


def _has_answer(seen: Seen) -> bool:
    return seen.got > 1 and seen.status < 400


def _has_token(seen: Seen) -> bool:
    return seen.token


def _carries_file(seen: Seen) -> bool:
    """An upload of a large file, or a download."""
    up = seen.spot.method == "PUT" and "/lfs/" in seen.spot.route
    return up or (seen.spot.method == "GET" and "/resolve/" in seen.spot.route and _has_answer(seen))


def _refused(until_a_pause: bool) -> Callable[[Exchange], None]:
    def act(exchange: Exchange) -> None:
        exchange.proxy.leave(until_a_pause)
        exchange.reset()

    return act


def _cut_while_sending(exchange: Exchange) -> None:
    exchange.rfile.read(exchange.length() // 2)
    exchange.reset()


def _cut_while_answering(exchange: Exchange) -> None:
    """The Hub has done what was asked."""
    answer = exchange.forward()
    if exchange.command != "HEAD" and len(answer.body) > 1:
        exchange.head(answer)
        exchange.wfile.write(answer.body[: len(answer.body) // 2])
    exchange.reset()


def _silent(exchange: Exchange) -> None:
    """The Hub has done what was asked, and nobody hears of it."""
    exchange.forward()
    exchange.wait_for_the_client()


def _says(
    status: int, words: str, headers: Mapping[str, str] | None = None, *, done: bool = False
) -> Callable[[Exchange], None]:
    """An error answer; `done`: the Hub has done what was asked before it is said."""

    def act(exchange: Exchange) -> None:
        if done:
            exchange.forward()
        else:
            exchange.body()
        content = json.dumps({"error": words}).encode()
        told = {"content-type": "application/json", "x-error-message": words, **(headers or {})}
        exchange.reply(Answer(status, told, content))

    return act


def _truncated(exchange: Exchange) -> None:
    """Half of the body, by an answer that is whole in itself."""
    answer = exchange.forward()
    exchange.reply(replace(answer, body=answer.body[: len(answer.body) // 2]))


def _corrupted(exchange: Exchange) -> None:
    """One byte in the middle is another one."""
    if exchange.command == "PUT":
        exchange.reply(exchange.forward(_flipped(exchange.body())))
        return
    answer = exchange.forward()
    exchange.reply(replace(answer, body=_flipped(answer.body)))


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x20]) + content[middle + 1 :]


def _trickle(exchange: Exchange) -> None:
    """Slower in all than the client's time limit, and never silent for so long."""
    exchange.slowly(exchange.forward(), pieces=8, seconds=0.4)


_NO_TOKEN = _says(401, "Invalid credentials in Authorization header")


def _also_lasting(name: str, act: Callable[[Exchange], None], fits: Callable[[Seen], bool] = _anything):
    return (Fault(name, act, fits), Fault(f"{name}, lasting", act, fits, lasting=True))


FAULTS: tuple[Fault, ...] = (
    Fault("refused", _refused(True)),
    Fault("refused, lasting", _refused(False), lasting=True),
    Fault("reset sending", _cut_while_sending, _has_body),
    *_also_lasting("reset answering", _cut_while_answering),
    Fault("no answer", _silent, waits=True),
    Fault("no answer, lasting", _silent, lasting=True, waits=True),
    Fault("401 from here on", _NO_TOKEN, _has_token, lasting=True, everywhere=True),
    Fault("403", _says(403, "Forbidden: you may not do that"), lasting=True),
    Fault("409", _says(409, "Conflict"), lasting=True),
    Fault("412", _says(412, "Precondition failed"), lasting=True),
    Fault("429, lasting", _says(429, "Too many requests"), lasting=True),
    Fault("429, wait 2 s", _says(429, "Too many requests", {"retry-after": "2"})),
    Fault(f"429, wait {LONG} s", _says(429, "Too many requests", {"retry-after": str(LONG)}), lasting=True),
    Fault("500, lasting", _says(500, "Internal error"), lasting=True),
    Fault("502, done", _says(502, "Bad gateway", done=True)),
    *_also_lasting("503", _says(503, "Service unavailable")),
    *_also_lasting("truncated", _truncated, _has_answer),
    *_also_lasting("corrupted", _corrupted, _carries_file),
    Fault("trickle", _trickle, _has_answer, waits=True),
)
