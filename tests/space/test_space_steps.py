"""The five steps in a browser, start to published repo, and what can happen on the way."""

from __future__ import annotations

import re

import pytest
import served
from playwright_or_skip import expect
from steps import RUN, SLOW

WORST = b"text,label\n\x00\x01\x02\xff\xfe" + bytes(range(256)) * 20


def published(hub, repo: str) -> dict:
    """A repository as the Hub has it."""
    from huggingface_hub import HfApi

    info = HfApi(endpoint=hub.endpoint, token=hub.tokens[repo.split("/")[0]]).model_info(repo)
    return {"private": info.private, "files": {file.rfilename for file in info.siblings}}


@pytest.mark.slow
def test_chats_from_data_to_a_published_model_with_a_refresh_on_the_way(visitor, hub, space):
    """A real sign-in; a gated first choice; a refresh while it trains; answers; a private repository."""
    you = visitor()
    you.open()
    expect(you.page.locator("#who")).to_contain_text("not signed in", timeout=SLOW)
    you.take_example("Support chats")
    you.sign_in(hub.tokens["you"])
    expect(you.page.locator("#who")).to_contain_text("Signed in as you", timeout=SLOW)
    expect(you.page.locator("#profile")).to_contain_text("support_chats.jsonl", timeout=SLOW)
    you.find_model("production support chatbot")
    first = you.page.get_by_role("article", name="Candidate 1", exact=True)
    expect(first).to_contain_text("meta-llama/Llama-2-7b-chat-hf")
    expect(first).to_contain_text("this account has not asked for it")
    address = f"{hub.endpoint}/meta-llama/Llama-2-7b-chat-hf"
    expect(first.get_by_role("link", name=address)).to_have_attribute("href", address)
    chosen = you.page.locator(".tk-is-chosen")
    expect(chosen).to_contain_text(served.CHAT)
    you.shoot("model-1440")

    run = you.start()
    you.stands("running")
    you.page.reload()
    assert you.run == run
    expect(you.page.locator("#status")).to_contain_text("production support chatbot", timeout=SLOW)
    expect(you.page.locator("#curve svg")).to_have_attribute(
        "aria-label", re.compile(r"Training loss [\d.]+ at step"), timeout=RUN
    )
    you.shoot("train-1440")
    you.stands("done")
    expect(you.page.locator("#curve svg")).to_have_attribute("aria-label", re.compile("at step"))

    you.page.locator("#to-results").click()
    results = you.page.locator("#results")
    expect(results).to_contain_text("Did it help?", timeout=SLOW)
    expect(results).to_contain_text("Answers side by side")
    you.page.get_by_label("Your text").fill("Where is my parcel?")
    you.page.get_by_role("button", name="Ask").click()
    expect(you.page.locator("#said .tk-asked")).to_contain_text("Where is my parcel?", timeout=RUN)

    you.page.locator("#to-publish").click()
    you.name_repo("you/shop-chats")
    you.page.get_by_role("button", name="Rehearse").last.click()
    expect(you.page.locator("#outcome")).to_contain_text("you/shop-chats", timeout=SLOW)
    expect(you.page.locator("#card")).to_contain_text(served.CHAT, timeout=SLOW)
    you.page.get_by_role("button", name="Publish", exact=True).click()
    link = you.page.locator("#outcome .tk-address a")
    expect(link).to_have_attribute("href", f"{hub.endpoint}/you/shop-chats", timeout=RUN)
    repo = published(hub, "you/shop-chats")
    assert repo["private"]
    assert {"README.md", "adapter_model.safetensors"} <= repo["files"]


@pytest.mark.slow
def test_tickets_from_data_to_a_published_classifier(visitor, hub):
    """All pages at both widths, with pictures of them where they are wanted."""
    ada = visitor("ada")
    ada.open()
    ada.take_example("Support tickets")
    expect(ada.page.locator("#profile .tk-bars").first).to_contain_text("billing")
    ada.shoot("data-1440")
    ada.find_model("sort tickets by topic")
    ada.page.get_by_role("button", name=f"Use {served.ENCODER} instead").or_(
        ada.page.locator(".tk-is-chosen")
    ).first.wait_for()
    run = ada.start()
    ada.stands("done")
    ada.page.locator("#to-results").click()
    results = ada.page.locator("#results")
    expect(results).to_contain_text("macro F1", timeout=SLOW)
    expect(results.get_by_role("img", name=re.compile("Confusion matrix"))).to_be_visible()
    expect(results).to_contain_text("Mistakes, the surest first")
    ada.page.get_by_label("Your text").fill("my card expired")
    ada.page.get_by_role("button", name="Ask").click()
    expect(ada.page.locator("#said .tk-bars")).to_be_visible(timeout=RUN)
    ada.shoot("results-1440")
    ada.page.locator("#to-publish").click()
    ada.name_repo("ada/ticket-topics")
    ada.page.get_by_role("button", name="Rehearse").last.click()
    expect(ada.page.locator("#card")).to_contain_text("ticket-topics", timeout=SLOW)
    ada.shoot("publish-1440")
    ada.page.get_by_role("button", name="Publish", exact=True).click()
    expect(ada.page.locator("#outcome .tk-address a")).to_be_visible(timeout=RUN)
    assert published(hub, "ada/ticket-topics")["private"]
    ada.tab("My runs")
    expect(ada.page.locator("#runs")).to_contain_text("sort tickets by topic", timeout=SLOW)
    ada.shoot("my-runs-1440")
    on_a_phone(visitor, run)
    in_the_dark(visitor, run)


def on_a_phone(visitor, run: str) -> None:
    """Every page on a narrow screen: nothing is wider than it."""
    ada = visitor("ada", width=390)
    ada.open(f"?run={run}")
    expect(ada.page.locator("#results")).to_contain_text("macro F1", timeout=SLOW)
    for name, tab, part, words in PAGES:
        ada.tab(tab)
        ada.shows(part, words)
        wide = ada.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, (name, wide)
        ada.shoot(f"{name}-390")


def in_the_dark(visitor, run: str) -> None:
    ada = visitor("ada", dark=True)
    ada.open(f"?run={run}")
    expect(ada.page.locator("#results")).to_contain_text("macro F1", timeout=SLOW)  # else it takes them there
    for name, tab, part, words in (PAGES[1], PAGES[3]):
        ada.tab(tab)
        ada.shows(part, words)
        ada.shoot(f"{name}-dark")


PAGES = (
    ("data", "1 Data", "#profile", "What was found"),
    ("model", "2 Model", "#plan", "method"),
    ("train", "3 Train", "#status", "done"),
    ("results", "4 Results", "#results", "macro F1"),
    ("publish", "5 Publish", "#outcome", "Published"),
    ("my-runs", "My runs", "#runs", "sort tickets by topic"),
)


@pytest.mark.slow
def test_two_at_once_who_never_see_each_other_and_one_who_stops_and_goes_on(visitor):
    you, ada = visitor("you"), visitor("ada")
    for one, example, description in (
        (you, "Support tickets", "mine alone"),
        (ada, "Support tickets", "only hers"),
    ):
        one.open()
        one.take_example(example)
        one.find_model(description)
    run = you.start()
    hers = ada.start()
    assert run != hers
    ada.stands("queued")
    expect(ada.page.locator("#status")).to_contain_text("in the queue")
    you.stands("running")
    you.page.get_by_role("button", name="Save and stop").click()
    you.stands("cancelled")
    for one, other in ((you, "only hers"), (ada, "mine alone")):
        one.tab("My runs")
        expect(one.page.locator("#runs")).to_contain_text(
            "mine alone" if one is you else "only hers", timeout=SLOW
        )
        expect(one.page.locator("#runs")).not_to_contain_text(other)
    thief = visitor("ada")
    thief.open(f"?run={run}")
    expect(thief.page.get_by_role("alert").or_(thief.page.locator(".toast-body")).first).to_be_visible(
        timeout=SLOW
    )
    expect(thief.page.locator("body")).not_to_contain_text("mine alone")
    you.tab("3 Train")
    you.page.get_by_role("button", name="Go on").click()
    you.stands("done", timeout=2 * RUN)
    ada.tab("3 Train")
    ada.stands("done")


def test_data_that_are_chosen_while_the_page_still_arrives_stay_chosen(visitor):
    """What the page asks for by itself is answered after the visitor has chosen: the data of before a refresh."""
    you, late, chosen = visitor("you"), [], []
    you.open()
    you.take_example("Support chats")
    you.page.route("**/queue/join*", lambda asked: asked.continue_() if chosen else late.append(asked))
    you.open()
    while not late:
        you.page.wait_for_timeout(50)
    chosen.append("Support tickets")
    you.take_example("Support tickets")
    with you.page.expect_response("**/queue/join*"):
        for asked in late:
            asked.continue_()
    expect(you.page.locator("#who")).to_contain_text("Signed in as you")
    you.page.wait_for_timeout(1000)  # time in which it could go wrong
    expect(you.page.locator("#profile")).to_contain_text("support_tickets.csv")
    you.find_model("sorts messages")
    expect(you.page.locator(".tk-is-chosen")).to_contain_text(served.ENCODER)


def test_other_wishes_and_other_data_forget_the_plan_of_the_first(visitor):
    you = visitor("you")
    you.open()
    you.take_example("Support chats")
    you.find_model("answers customers")
    expect(you.page.locator("#to-train")).to_be_enabled()
    you.page.get_by_label("Research").check()
    you.shows("#plan", "This was for other wishes")
    expect(you.page.locator("#to-train")).to_be_disabled()
    you.page.get_by_role("button", name="Find the model").click()
    expect(you.page.locator("#to-train")).to_be_enabled()
    you.tab("1 Data")
    you.page.get_by_role("button", name="Support tickets").click()
    you.page.get_by_role("button", name="Device reports").click()
    expect(you.page.locator("#profile")).to_contain_text("device_reports")
    you.tab("2 Model")
    expect(you.page.locator("#ladder")).to_contain_text("Choose data first")
    expect(you.page.locator("#to-train")).to_be_disabled()


def test_a_malformed_file_is_told_and_the_next_one_is_taken_and_stays(visitor, signed_in):
    """By a guest, whose file comes along when they sign in."""
    you = visitor()
    you.open()
    you.upload("tickets.parquet", WORST)
    toast = you.page.locator(".toast-body").first
    expect(toast).to_contain_text("Parquet", timeout=SLOW)
    assert len(toast.inner_text().strip().splitlines()) >= 2  # what was found, and what to do
    expect(you.page.locator("#profile")).to_contain_text("Nothing is chosen yet")
    rows = "".join(
        f"the {'red' if n % 2 else 'blue'} cup number {n},{'red' if n % 2 else 'blue'}\n" for n in range(40)
    )
    you.upload("cups.csv", f"text,label\n{rows}".encode())
    expect(you.page.locator("#profile")).to_contain_text("cups.csv", timeout=SLOW)
    you.page.context.add_cookies([signed_in("ada")])
    you.page.reload()
    expect(you.page.locator("#who")).to_contain_text("Signed in as ada", timeout=SLOW)
    expect(you.page.locator("#profile")).to_contain_text("cups.csv", timeout=SLOW)


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(visitor):
    you = visitor("you")
    you.open()
    nameless = you.page.evaluate(NAMELESS)
    assert nameless == []
    you.page.locator("#examples button").first.focus()
    you.page.keyboard.press("Enter")
    expect(you.page.locator("#profile")).to_contain_text("What was found", timeout=SLOW)


NAMELESS = """() => [...document.querySelectorAll('button, input, textarea, select, [role=button]')]
  .filter(one => one.offsetParent !== null)
  .filter(one => !(one.innerText || '').trim() && !one.getAttribute('aria-label') && !one.title
    && !(one.labels && one.labels.length) && !one.closest('label') && !one.getAttribute('aria-labelledby'))
  .map(one => one.outerHTML.slice(0, 200))"""
