"""Signing in to an app or a Space with an account of the local Hub, as a browser does it, without a browser."""

from __future__ import annotations

import http.client
import re
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit


class Browser:
    """Keeps the cookies of every address apart, `Secure` ones on loopback too, and follows nothing by itself."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}

    def ask(self, method: str, url: str, form: dict | list | None = None, **headers: str):
        """One request; `.status`, `.text`, `.getheader(...)` of the answer."""
        place = urlsplit(url)
        kept = self.cookies.setdefault(place.netloc, {})
        if kept:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(place.netloc, timeout=60)
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        connection.request(method, path, urlencode(form) if form is not None else None, headers)
        response = connection.getresponse()
        response.text = response.read().decode()
        connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                kept[name] = morsel.value
        return response

    def cookie_header(self, url: str) -> dict[str, str]:
        """For a client of one's own, such as `gradio_client.Client(url, headers=...)`."""
        kept = self.cookies.get(urlsplit(url).netloc, {})
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}

    def sign_in_to_hub(self, hub, user: str) -> None:
        """A session at the local Hub."""
        place = f"{hub.endpoint}/login"
        assert self.ask("POST", place, {"token": hub.tokens[user], "next": "/"}).status == 303

    def decide(self, url: str, decision: str = "allow", orgs: tuple[str, ...] = ()) -> str:
        """Answer the question at `/oauth/authorize?...`; where the local Hub then sends the browser."""
        page = self.ask("GET", url)
        if page.status != 200:
            return page.getheader("Location")
        form = re.search(r'<form method="post" action="/oauth/authorize".*?</form>', page.text, re.DOTALL)
        assert form, page.text
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
        fields = [(unescape(name), unescape(value)) for name, value in hidden]
        fields += [("decision", decision), *(("org", org) for org in orgs)]
        place = urlsplit(url)
        answer = self.ask("POST", f"{place.scheme}://{place.netloc}/oauth/authorize", fields)
        assert answer.status == 303, answer.text
        return answer.getheader("Location")

    def sign_in_to_space(self, hub, space: str, user: str = "you", orgs: tuple[str, ...] = ()) -> dict[str, str]:
        """All of it: the Space's login button, the question, the way back. The headers of whoever is signed in.

        Args:
            hub: The running local Hub.
            space: The address of a Gradio app that was started with `Credentials.environment(...)`.
            user: Whose account.
            orgs: Which of their organizations the Space may act for.
        """
        self.sign_in_to_hub(hub, user)
        asked = self.ask("GET", f"{space.rstrip('/')}/login/huggingface")
        assert asked.status in (302, 307), asked.text
        back = self.decide(asked.getheader("Location"), orgs=orgs)
        done = self.ask("GET", back)
        assert done.status in (302, 303, 307), done.text
        return self.cookie_header(space)
