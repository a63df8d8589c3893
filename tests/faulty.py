"""A proxy in front of a Hub that misbehaves as told; or, with no Hub behind it, a Hub that only misbehaves."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Fault:
    """Answers `times` requests whose "METHOD path" matches; `after` lets the Hub do the work first."""

    pattern: str
    status: int
    times: int = 1000
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    after: bool = False


@dataclass
class Faulty:
    endpoint: str
    faults: list[Fault]
    log: list[str] = field(default_factory=list)


@contextmanager
def faulty(*faults: Fault, behind: str = "") -> Iterator[Faulty]:
    """Runs the proxy until the block ends."""
    state = Faulty("", list(faults))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            line = f"{self.command} {self.path}"
            state.log.append(line)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = next((f for f in state.faults if f.times > 0 and re.search(f.pattern, line)), None)
            if fault is None or fault.after:
                answer = self.forward(body)
            if fault is not None:
                fault.times -= 1
                answer = fault.status, fault.headers, fault.body
            status, headers, content = answer
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            length = headers.get("content-length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_one

        def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            hub = http.client.HTTPConnection(urlsplit(behind).netloc, timeout=60)
            try:
                hub.request(self.command, self.path, body, dict(self.headers))
                answer = hub.getresponse()
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            finally:
                hub.close()

        def log_message(self, *args: object) -> None:
            """Nothing to the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
