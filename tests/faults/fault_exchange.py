"""One call as it passes through the proxy, with all that can be done to it."""

from __future__ import annotations

import http.client
import socket
import struct
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from fault_proxy import Answer, Proxy, Seen

_REWRITTEN = ("location", "link")
_HOP = ("content-length", "transfer-encoding", "connection", "keep-alive", "date", "server")


class Exchange(BaseHTTPRequestHandler):
    """The handler of one connection; a fault's `act` gets it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy
    origin: str

    def handle_call(self) -> None:
        proxy = self.proxy
        if proxy.down:
            self.reset()
            return
        token = "Authorization" in self.headers
        spot, fault = proxy.meet(self.command, self.path, token)
        self._unread = True
        if fault is None:
            answer = self.forward()
            proxy.seen.append(
                Seen(
                    spot, token, len(self._body), 0 if self.command == "HEAD" else len(answer.body), answer.status
                )
            )
            self.reply(answer)
        else:
            fault.act(self)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_call

    def body(self) -> bytes:
        """What was sent."""
        if self._unread:
            self._body, self._unread = self._read(), False
        return self._body

    def length(self) -> int:
        """How many bytes are announced; 0 where they come in chunks."""
        return int(self.headers.get("Content-Length") or 0)

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(self.length())
        read = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return read

    def forward(self, body: bytes | None = None) -> Answer:
        """Ask the Hub; with another body, if one is given."""
        sent = self.body() if body is None else body
        netloc = urlsplit(self.origin).netloc
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        headers |= {"Host": netloc, "Connection": "close"}
        if sent or self.command in ("POST", "PUT"):
            headers["Content-Length"] = str(len(sent))
        hub = http.client.HTTPConnection(netloc, timeout=60)
        try:
            hub.request(self.command, self.path, sent or None, headers)
            said = hub.getresponse()
            return self._led_through_here(
                Answer(said.status, {name.lower(): value for name, value in said.getheaders()}, said.read())
            )
        finally:
            hub.close()

    def _led_through_here(self, answer: Answer) -> Answer:
        for name in _REWRITTEN:
            if name in answer.headers:
                answer.headers[name] = self.proxy.rewritten(answer.headers[name])
        if "json" in answer.headers.get("content-type", "") and "/resolve/" not in self.path:
            answer.body = self.proxy.rewritten(answer.body.decode()).encode()
        return answer

    def head(self, answer: Answer, length: int | None = None) -> None:
        """The first part of an answer; `length` is what it says of its body."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name not in _HOP:
                self.send_header(name, value)
        said = answer.headers.get("content-length") if self.command == "HEAD" else None
        self.send_header("Content-Length", said or str(len(answer.body) if length is None else length))
        self.end_headers()

    def reply(self, answer: Answer) -> None:
        with suppress(ConnectionError):
            self.head(answer)
            if self.command != "HEAD":
                self.wfile.write(answer.body)

    def slowly(self, answer: Answer, pieces: int, seconds: float) -> None:
        """The body in that many pieces, spread over so many seconds."""
        with suppress(ConnectionError):
            self.head(answer)
            size = -(-len(answer.body) // pieces)
            for start in range(0, len(answer.body), size):
                time.sleep(seconds / pieces)
                self.wfile.write(answer.body[start : start + size])

    def reset(self) -> None:
        """Break the connection off, so that both sides notice."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for end in (self.rfile, self.wfile, self.connection):
                end.close()

    def wait_for_the_client(self, at_most: float = 60.0) -> None:
        """Say nothing until the client goes away, or nothing is to be spoiled any more."""
        fault, until = self.proxy.fault, time.monotonic() + at_most
        self.connection.settimeout(0.05)
        while self.proxy.fault is fault and time.monotonic() < until:
            try:
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing to the terminal."""


def handler(proxy: Proxy, origin: str) -> type[Exchange]:
    """The handler for one origin."""
    return type("Led", (Exchange,), {"proxy": proxy, "origin": origin})
