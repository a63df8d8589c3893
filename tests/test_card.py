"""The card: legal front matter, true in what it inherits, safe against what users write, the same every time."""

import ast
import re

import pytest
import records as made
import yaml
from huggingface_hub import ModelCard
from run_folder import ANSWERS

from tunekit_hub import card
from tunekit_hub.answers import Answer
from tunekit_hub.facts import Finding
from tunekit_hub.tasks import TASKS

ANSWER_ROWS = tuple(Answer(**answer) for answer in ANSWERS)


def render(evaluation=None, answers=ANSWER_ROWS):
    return card.render(evaluation or made.make_evaluation(), "ada/tutor", answers)


def evaluation_with(*, plan=None, verdict=None, request=None, **recommendation):
    """An evaluation whose chosen verdict, request, recommendation or plan is changed."""
    verdicts = list(made.make_verdicts())
    verdicts[-1] = verdicts[-1].but(**(verdict or {}))
    selection = made.make_selection(
        made.make_recommendation(**recommendation),
        verdicts=tuple(verdicts),
        request=made.make_request(**(request or {})),
    )
    return made.make_evaluation(made.make_training(made.make_plan(selection, **(plan or {}))))


def body(text):
    return text.split("\n---\n", 1)[1]


def test_front_matter_round_trips_through_the_hubs_own_parser():
    data = ModelCard(render()).data
    assert data.license == "apache-2.0"
    assert data.base_model == made.BASE
    assert data.base_model_relation == "adapter"
    assert data.library_name == "peft"
    assert data.pipeline_tag == "text-generation"
    assert data.language == ["en"]
    assert data.tags == ["tunekit-hub", "lora", "sft"]
    assert "datasets" not in data.to_dict()
    results = {result.metric_type: result.metric_value for result in data.eval_results}
    assert results == {"loss": 1.38, "perplexity": 3.97}
    assert data.eval_results[0].dataset_name == "support_chats.jsonl"


def test_the_same_records_give_the_same_bytes():
    assert render() == render()


def test_rehearsal_has_everything_but_what_is_measured():
    text = card.rehearsal(made.make_plan(), "ada/tutor")
    assert "model-index" not in text
    assert "Not measured yet" in text
    assert ModelCard(text).data.base_model == made.BASE
    assert made.make_selection().verdicts[0].model in text


def test_body_tells_measurements_decisions_and_duties():
    text = " ".join(body(render()).split())
    assert "| perplexity | 11.1 | 3.97 |" in text
    assert "**Fine-tuning helped: held-out loss fell from 2.41 to 1.38.**" in text
    assert "| peak memory | 1.9 GB | 1.7 GB |" in text
    assert "| training time | 3 min 10 s | 2 min 51 s |" in text
    assert "access: gated, and this token has no access" in text
    assert "| precision | bf16 | this CPU has bf16 units |" in text
    assert "`apache-2.0` allows commercial use." in text
    for answer in ANSWERS:
        assert answer["untuned"] in text
        assert answer["tuned"] in text


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
def test_snippet_is_python_that_loads_from_the_published_repo(method):
    snippet = TASKS["instruction_tuning"].snippet(made.make_plan(method=method), "ada/tutor")
    ast.parse(snippet)
    assert f"```python\n{snippet}\n```" in render(evaluation_with(plan={"method": method}))
    assert ("PeftModel" in snippet) == (method != "full")
    assert (made.REVISION in snippet) == (method != "full")
    assert 'AutoTokenizer.from_pretrained("ada/tutor")' in snippet


def test_full_weights_are_a_transformers_finetune():
    data = ModelCard(render(evaluation_with(plan={"method": "full"}))).data
    assert (data.library_name, data.base_model_relation) == ("transformers", "finetune")


def test_other_license_carries_name_and_a_link_that_leads_somewhere():
    verdict = {"license": "other", "license_name": "acme-1", "license_link": "LICENSE.md"}
    text = render(evaluation_with(verdict=verdict))
    data = ModelCard(text).data
    assert (data.license, data.license_name) == ("other", "acme-1")
    assert data.license_link == f"https://huggingface.co/{made.BASE}/blob/{made.REVISION}/LICENSE.md"
    assert f"text: <{data.license_link}>." in text


@pytest.mark.parametrize("link", ["https://x.example/><script>", "https://x.example/a b](c)", "https://x\n# y"])
def test_a_license_link_is_clickable_only_where_it_is_nothing_else(link):
    verdict = {"license": "other", "license_name": "acme-1", "license_link": link}
    assert not re.search(r"<http|<script|\]\(c|^# y", body(render(evaluation_with(verdict=verdict))), re.MULTILINE)


def test_a_license_that_was_not_declared_is_not_made_up():
    text = render(evaluation_with(verdict={"license": None}, request={"accepted_licenses": (made.BASE,)}))
    assert "license" not in yaml.safe_load(text.split("---\n")[1])
    assert "declares no license" in text
    assert "accepted them for commercial use" in text


def test_license_duties_come_from_the_finding():
    finding = Finding(
        check="license", status="warn", message="`cc-by-4.0` asks for credit", fix="name the authors"
    )
    text = render(evaluation_with(verdict={"license": "cc-by-4.0", "findings": (finding,)}))
    assert "`cc-by-4.0` asks for credit. name the authors." in text


def test_only_the_name_of_the_data_file_is_told():
    for source in ("/home/ada/secret plans/chats.jsonl", r"C:\Users\ada\chats.jsonl", "./chats.jsonl"):
        profile = made.make_profile(data=made.make_profile().data.but(source=source))
        text = render(evaluation_with(profile=profile))
        assert "chats.jsonl" in text
        assert "secret plans" not in text
        assert "Users" not in text


HOSTILE = [
    "x\n---\nlicense: mit\n---\n# Owned",
    "</details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![p](http://evil.example/p.png) <http://evil.example>",
    "http://evil.example www.evil.example @somebody $$x$$ `` ` ```\n```\n# out",
    "| a | b |\n|---|---|\n| `x|y` |",
    "# heading\n- item\n1. item\n> quote\n    code\n***\n===",
    "{{ 7 * 191 }} {% raw %} {# #} \u202egnp.exe \x1b[31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_users_write_cannot_break_out(text):
    answer = Answer(text, text, text)
    page = render(evaluation_with(description=text), (answer,))
    assert ModelCard(page).data.license == "apache-2.0"
    calm = render(evaluation_with(description="calm"), (Answer("calm", "calm", "calm"),))
    assert structure(page) == structure(calm)


def structure(page):
    """What Markdown would make of a card, apart from its words: code taken out, then all that has a meaning."""
    text = re.sub(r"```.*?```", "FENCE", body(page), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    lines = [re.sub(r"<br>", "", line) for line in text.splitlines()]
    return {
        "lines": len(lines),
        "headings": [line for line in lines if re.match(r"\s{0,3}(#|=+$|-+$)", line)],
        "bullets": sum(bool(re.match(r"\s*([-+*>]|\d+[.)])\s", line)) for line in lines),
        "pipes": sum(line.count("|") for line in lines),
        "tags": re.findall(r"<[^>]*>?", "\n".join(lines)),
        "links": re.findall(r"\]\([^)]*\)|https?://[^)]*|www\.|@|\$", "\n".join(lines)),
        "fences": text.count("FENCE"),
        "jinja": "1337" in text,
        "control": re.findall(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", text),
    }


def test_what_was_done_to_the_base_weights_is_repeated():
    plan = made.make_plan(made.make_selection(weights_note="dequantized from a *GGUF*"))
    assert "says of its weights: dequantized from a &#42;GGUF&#42;" in card.rehearsal(plan, "you/x")
    assert "says of its weights" not in card.rehearsal(made.make_plan(), "you/x")


def test_an_answer_with_personal_data_or_a_key_is_not_quoted():
    shown = Answer(prompt="Where is it?", untuned="I cannot know.", tuned="On its way.")
    hidden = Answer(prompt="I am joe@example.com, key AKIAIOSFODNN7EXAMPL9", untuned="a", tuned="b")
    text = card.render(made.make_evaluation(), "you/x", [hidden, shown])
    assert "On its way." in text
    assert "AKIA" not in text
    assert "joe" not in text


def test_a_model_that_the_user_named_is_not_said_to_be_the_first_usable_one():
    plan = made.make_plan(made.make_selection(named=True))
    assert "named by its maker" in card.rehearsal(plan, "you/x")
    assert "the first that could be used" not in card.rehearsal(plan, "you/x")
