"""Requests as a browser sends them, and what the Hub's client is refused with."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from huggingface_hub.errors import HfHubHTTPError

CARD = b"""---
license: apache-2.0
tags: ["<script>alert(0)</script>"]
---
# Support desk

| measure | tuned |
|---|---|
| loss | one<br>two |

```python
print(1 < 2)
```

[the base](/you/base/tree/0123) and [a file](answers.jsonl), [the site](https://example.org/a)
"""


def ask(hub, method: str, path: str, body: dict | None = None, **headers: str) -> http.client.HTTPResponse:
    """One request, as a browser sends it; nothing is followed."""
    connection = http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=60)
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, urlencode(body) if body is not None else None, headers)
    response = connection.getresponse()
    response.text = response.read().decode()
    connection.close()
    return response


def sign_in(hub, user: str = "you", following: str = "/", **headers: str) -> http.client.HTTPResponse:
    return ask(hub, "POST", "/login", {"token": hub.tokens[user], "next": following}, **headers)


def cookie(hub, user: str = "you") -> dict[str, str]:
    return {"Cookie": sign_in(hub, user).getheader("Set-Cookie").split(";")[0]}


def refusal(call: Callable[[], Any]) -> int:
    """The status with which the Hub refuses a call of the client."""
    with pytest.raises(HfHubHTTPError) as error:
        call()
    return error.value.response.status_code
