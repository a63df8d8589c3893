"""The app's endpoints as a program reaches them, with whatever session it has."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx


class Caller:
    """A client that knows the app's own protocol, so that it can call what the page calls, too."""

    def __init__(self, url: str, cookie: str = ""):
        headers = {"Cookie": f"session={cookie}"} if cookie else {}
        self.client = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)
        self.config = self.client.get("/config").json()

    def events(self) -> list[dict[str, Any]]:
        """Every event that has code on the server."""
        return [one for one in self.config["dependencies"] if one["backend_fn"]]

    def inputs(self, event: dict[str, Any], values: dict[str, Any]) -> list[Any]:
        """A value for each input: by the element's id, else what the page begins with."""
        parts = {part["id"]: part["props"] for part in self.config["components"]}
        found = []
        for number in event["inputs"]:
            props = parts.get(number, {})
            found.append(values.get(props.get("elem_id") or "", props.get("value")))
        return found

    def call(self, event: dict[str, Any], data: list[Any], said: Any = None) -> str:
        """All that the server answers, as text; from a page of its own, which has done nothing before."""
        session = uuid.uuid4().hex
        body = {"data": data, "fn_index": event["id"], "session_hash": session, "event_data": said}
        joined = self.client.post("/gradio_api/queue/join", json=body)
        if joined.status_code != 200:
            return joined.text
        told = []
        with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
            for line in stream.iter_lines():
                told.append(line)
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("msg") in ("process_completed", "close_stream", "unexpected_error"):
                    break
        return "\n".join(told)

    def named(self, name: str, *data: Any) -> dict[str, Any]:
        """A call of the API: what it gives, or its error."""
        event = next(one for one in self.events() if one["api_name"] == name)
        lines = [line[5:] for line in self.call(event, list(data)).splitlines() if line.startswith("data:")]
        done = next(json.loads(line) for line in lines if json.loads(line).get("msg") == "process_completed")
        return done["output"] if not done["success"] else done["output"]["data"][0]

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """A file as the page's own upload sends it; what its event gets as input."""
        path = self.client.post("/gradio_api/upload", files={"files": (name, content)}).json()[0]
        return {"path": path, "orig_name": name, "size": len(content), "meta": {"_type": "gradio.FileData"}}
