"""What a visitor does in the browser, by the names they see."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright_or_skip import Page, expect

SLOW = 90_000  # ms; loading, reading data, asking the Hub, on a machine that does other things besides
RUN = 600_000  # ms; a tiny training, its evaluation and its reload gate
SHOTS = os.environ.get("TUNEKIT_SHOTS")  # a folder for pictures of the pages; left out, none are taken
TALLEST = 1900  # pixels
COLOURS = 96  # of a picture, so that it stays small


class Visitor:
    """One browser window."""

    def __init__(self, page: Page, url: str):
        self.page, self.url = page, url
        page.set_default_timeout(SLOW)
        expect.set_options(timeout=SLOW)

    def open(self, query: str = "") -> None:
        """The app, ready."""
        self.page.goto(self.url + query)
        expect(self.page.locator("#examples button").first).to_be_visible(timeout=SLOW)

    def tab(self, name: str) -> None:
        """One of the tabs on top."""
        tab = self.page.get_by_role("tab", name=name)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")

    def sign_in(self, token: str) -> None:
        """The real way: the app's button, the Hub's own pages, and back."""
        self.page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).first.click()
        self.page.wait_for_url("**/oauth/authorize**", timeout=SLOW)
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.get_by_role("button", name="Allow").click()
        expect(self.page.locator("#examples button").first).to_be_visible(timeout=SLOW)

    def take_example(self, name: str) -> None:
        """An example, profiled."""
        self.page.get_by_role("button", name=name).click()
        expect(self.page.locator("#profile")).to_contain_text("What was found", timeout=SLOW)

    def upload(self, name: str, content: bytes) -> None:
        """A file, as if dropped on the page."""
        chosen = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        self.page.locator("#upload input[type=file]").set_input_files(chosen)

    def find_model(self, description: str) -> None:
        """The ladder and the plan."""
        self.page.locator("#to-model").click()
        self.page.get_by_label("What is it for?").fill(description)
        self.page.get_by_role("button", name="Find the model").click()
        self.shows("#plan", "method")

    def start(self) -> str:
        """A run; its id, from the address."""
        self.page.locator("#to-train").click()
        self.page.get_by_role("button", name="Start training").click()
        self.shows("#status .tk-run h3", "")
        self.page.wait_for_function("location.search.includes('run=')", timeout=SLOW)
        return self.run

    def name_repo(self, name: str) -> None:
        """Another name than the one that is suggested."""
        box = self.page.locator("#repo").get_by_role("textbox")
        expect(box).not_to_have_value("")
        box.fill(name)

    def shows(self, part: str, words: str, timeout: float = SLOW) -> None:
        """Waits for words in a part of the page; what the page complains of instead is in the failure."""
        try:
            expect(self.page.locator(part).first).to_contain_text(words, timeout=timeout)
        except AssertionError as error:
            told = self.page.locator(".toast-body").all_inner_texts()
            raise AssertionError(f"{error}\nthe page says: {told}") from None

    @property
    def run(self) -> str:
        """The run that the address carries."""
        return parse_qs(urlsplit(self.page.url).query).get("run", [""])[0]

    def stands(self, status: str, timeout: float = RUN) -> None:
        """Waits until the run stands so."""
        expect(self.page.locator("#status [role=status] .tk-badge")).to_contain_text(status, timeout=timeout)

    def shoot(self, name: str) -> None:
        """A picture of the page as it is, where pictures are wanted."""
        if SHOTS:
            save(self.page.screenshot(full_page=True, animations="disabled"), Path(SHOTS) / f"{name}.png")


def save(png: bytes, path: Path) -> None:
    """A picture in few colours, cut where the page goes on for long."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
