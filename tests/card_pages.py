"""What a page maker makes of a card, and records whose every text is somebody else's."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import records as made
from markdown_it import MarkdownIt

from tunekit_hub import card
from tunekit_hub.facts import Finding
from tunekit_hub.figures import LabelScore, Note
from tunekit_hub.scores.answers import Answer

# What GitHub's and the Hub's page makers link by themselves, looked for in what is text to them.
_BARE = re.compile(r"(?i)https?://|\bwww\.[\w-]|[\w.+-]+@[\w-]+\.\w|\$\$|\\\(")
_APART = ("code", "a")  # where no page maker looks for more
_FREE = ("code", "br")  # what the words of others may bring: no page is changed by them


class Page(HTMLParser):
    """The tags of a page, what they lead to, and its text outside code."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.leads: list[tuple[str, str]] = []
        self.text = ""
        self._apart = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += tag not in _FREE
        self._apart += tag in _APART
        self.text += "\n"  # page makers look at one piece of text at a time
        self.leads += [(name, value or "") for name, value in attrs if name != "style"]

    def handle_endtag(self, tag):
        self._apart -= tag in _APART

    def handle_data(self, data):
        self.text += "" if self._apart else data

    @property
    def bare(self) -> list[str]:
        """What a page maker could turn into a link or a formula without being asked."""
        return _BARE.findall(self.text)


def body(text: str) -> str:
    return text.split("\n---\n", 1)[1]


def page(text: str) -> Page:
    """The card's body as a page, raw HTML let through as the Hub does before it cleans it."""
    return Page(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(body(text)))


def chat_card(text: str) -> str:
    """A chat model's card on which every text that can come from outside is this one.

    Answers with addresses are not quoted, so there they are others.
    """
    said = re.sub(r"\S+@\S+", "", text)
    notes = (Note(code="files", message=text, count=1), Note(code="email-addresses", message=text, count=3))
    profile = made.make_profile(
        data=made.make_profile().data.but(source=text), columns={"messages": text, text: text}, notes=notes
    )
    supervision = made.make_supervision(dropped={text: 2}, how=text, truncated=3, lost_tokens=9)
    plan = made.make_plan(_selection(text, profile), reasons={"method": text, "epochs": f"set by you; {text}"})
    training = made.make_training(
        plan, supervision=supervision, stopped_early=text, adjustments=(text, text), versions={"torch": text}
    )
    evaluation = made.make_evaluation(training, verdict=text)
    return card.render(evaluation, "ada/tutor", (Answer(said, said, said),) * 2, mismatch=text)


def label_card(text: str) -> str:
    """A classifier's card whose labels, files and baselines are called so."""
    labels = {text: 40, "b": 30, f"{text} 2": 20}
    profile = made.make_profile(
        data=made.make_profile().data.but(source=text),
        test=made.make_profile().data.but(source=f"{text}x"),
        task="classification",
        shape="single-label",
        labels=labels,
        columns={"text": text, "label": text},
    )
    figures = {"accuracy": made.r.Figure(value=0.9, low=0.8, high=0.95)}
    scores = {name: LabelScore(precision=0.5, recall=0.5, f1=0.5, rows=rows) for name, rows in labels.items()}
    architecture = made.make_architecture(kind="encoder")
    selection = _selection(text, profile).but(architecture=architecture)
    evaluation = made.make_evaluation(
        made.make_training(made.make_plan(selection, method="full")),
        metric="accuracy",
        tuned=made.r.Score(name="tuned", figures=figures),
        baselines=(made.r.Score(name=text, figures=figures),),
        labels=scores,
        verdict=text,
        files=("confusion.png",),
    )
    return card.render(evaluation, "ada/topics")


def _selection(text: str, profile: made.r.Profile) -> made.r.Selection:
    """Findings, a license's name and its link, a candidate and a machine that are called so."""
    finding = Finding(check="license", status="warn", message=text)
    warned = Finding(check="length", status="warn", message=text)
    lineage = Finding(check="lineage", status="warn", message=text)
    first, *_, last = made.make_verdicts()
    verdicts = (
        first.but(model=text, findings=(Finding(check=text, status="block", message=text),)),
        last.but(
            license="other",
            license_name=text,
            license_link="https://x.example/l",
            findings=(finding, warned, lineage, *last.findings),
        ),
    )
    request = made.make_request(
        accepted_licenses=(made.BASE, text),
        dataset=text,
        dataset_license=("other",),
        hardware=made.make_hardware(name=text),
    )
    recommendation = made.make_recommendation(profile, description=text, reasoning=text, model=text)
    return made.make_selection(recommendation, verdicts=verdicts, request=request, weights_note=text)
