"""The card: legal front matter, true in what it inherits, safe against what users write, the same every time."""

import ast
import datetime
import re

import pytest
import records as made
import yaml
from huggingface_hub import ModelCard
from run_folder import ANSWERS

from tunekit_hub import card, runfile
from tunekit_hub.facts import Finding, Options
from tunekit_hub.figures import Figure, LabelScore, Score, ValidationPoint
from tunekit_hub.scores.answers import Answer
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
    assert "- **How good is it?** Fine-tuning helped: held-out loss fell from 2.41 to 1.38. - **May I" in text
    assert "fine-tuning gained in loss per token is +1.030 (+0.910 to +1.150) over untuned, paired" in text
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
    text = re.sub(r"`[^`\n]*`", "", body(render(evaluation_with(verdict=verdict))))
    assert not re.search(r"<http|<script|\]\(c|^# y", text, re.MULTILINE)


def test_a_license_that_was_not_declared_is_not_made_up():
    text = render(evaluation_with(verdict={"license": None}, request={"accepted_licenses": (made.BASE,)}))
    assert "license" not in yaml.safe_load(text.split("---\n")[1])
    assert "declares no license" in text
    assert "accepted them for commercial use" in text


def test_license_duties_are_listed_once_with_their_link():
    duty = "name the author, link the license and say what was changed"
    finding = Finding(check="license", status="warn", message=f"`cc-by-4.0` allows it, with duties: {duty}")
    text = render(evaluation_with(verdict={"license": "cc-by-4.0", "findings": (finding,)}))
    assert "`cc-by-4.0` allows it, with duties.\n\n- `cc-by-4.0`: name the author" in text
    assert text.count(duty) == 1
    assert "(<https://creativecommons.org/licenses/by/4.0/>)." in text
    assert "License: `cc-by-4.0`, the base model's: commercial use is allowed, with duties." in text


def test_only_the_name_of_the_data_file_is_told():
    for source in ("/home/ada/secret plans/chats.jsonl", r"C:\Users\ada\chats.jsonl", "./chats.jsonl"):
        profile = made.make_profile(data=made.make_profile().data.but(source=source))
        text = render(evaluation_with(profile=profile))
        assert "chats.jsonl" in text
        assert "secret plans" not in text
        assert "Users" not in text


def test_what_was_done_to_the_base_weights_is_repeated():
    plan = made.make_plan(made.make_selection(weights_note="dequantized from a *GGUF*"))
    assert "says of its weights: dequantized from a &#42;GGUF&#42;." in card.rehearsal(plan, "you/x")
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


HUB_DATA = {"source": "ada/chats:en@v2", "revision": "d" * 40, "repo_id": "ada/chats"}


def on_dataset(**changes):
    """The card of a model from a Hub dataset that is also its license's and its test's."""
    data = made.make_profile().data.but(**(HUB_DATA | changes))
    profile = made.make_profile(data=data, test=data)
    request = {"dataset": "ada/chats", "dataset_license": ("other",), "accepted_licenses": ("ada/chats",)}
    return render(evaluation_with(profile=profile, request=request))


def test_a_public_dataset_is_named_and_linked():
    text = on_dataset(public=True)
    data = ModelCard(text).data
    assert data.datasets == ["ada/chats"]
    assert data.eval_results[0].dataset_type == "ada/chats"
    assert data.eval_results[0].dataset_revision == "d" * 40
    assert f"the Hub dataset [ada/chats](/datasets/ada/chats/tree/{'d' * 40}) (as `ada/chats:en@v2`)" in text
    assert "Measured on 24 rows of its own test part" in text


def test_a_private_dataset_is_nowhere_named():
    text = on_dataset(public=False)
    assert "ada/chats" not in text
    assert "datasets" not in ModelCard(text).data.to_dict()
    assert ModelCard(text).data.eval_results[0].dataset_name == "a dataset that is not public"
    assert "not known to be public" in text
    assert "The dataset declares `other`, which does not tell what is allowed." in text
    assert "That was accepted for commercial use." in text


def test_merged_weights_are_a_model_of_their_own():
    evaluation = made.make_evaluation()
    text = card.render(evaluation, "ada/tutor", weights="merged")
    data = ModelCard(text).data
    assert (data.library_name, data.base_model_relation) == ("transformers", "finetune")
    assert "with a LoRA adapter merged into its weights" in text
    assert "peft" not in text.split("```")[1] + text.split("```")[3]
    assert 'AutoModelForCausalLM.from_pretrained("ada/tutor"' in text
    rehearsed = ModelCard(card.rehearsal(evaluation.training.plan, "ada/tutor", weights="merged")).data
    assert rehearsed.base_model_relation == "finetune"


def test_a_mismatch_is_the_first_thing_said():
    text = card.render(made.make_evaluation(), "ada/tutor", mismatch="A number differs by 0.3")
    first = body(text).strip().splitlines()[0]
    assert first.startswith("> **This model does not give the answers that were measured")
    assert first.endswith("A number differs by 0.3.")


LLAMA = {"license": "llama3.1", "license_link": "LICENSE"}


def test_llamas_duties_are_done_on_the_page():
    text = render(evaluation_with(verdict=LLAMA))
    assert "\n**Built with Llama**\n" in text.split("## ")[0]
    assert "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright © Meta" in text
    assert "asks that a fine-tuned model's name begin with `Llama`; `tutor` does not" in text
    named = card.render(evaluation_with(verdict=LLAMA), "ada/Llama-3.1-tutor")
    assert "begin with" not in named.partition("## License")[2].partition("**")[2]
    assert "**Built with Llama**" in named


def test_an_id_the_hub_does_not_list_is_the_name_of_another_license():
    data = ModelCard(render(evaluation_with(verdict={"license": "acme-7, MIT"}))).data
    assert data.license == ["mit", "other"]
    assert data.license_name == "acme-7"


def test_what_the_maker_decided_is_told():
    verdict = {"license": "other", "license_name": "acme-1"}
    request = {
        "accepted_licenses": (made.BASE,),
        "accepted_on": datetime.date(2026, 11, 21),
        "use": "research",
        "dataset": "chats.jsonl",
        "dataset_license": ("cc-by-4.0",),
        "dataset_license_said": True,
    }
    plan = {"reasons": {"epochs": "set by you; would have been 3: usual"}, "epochs": 1.0}
    evaluation = evaluation_with(verdict=verdict, request=request, plan=plan)
    told = render(evaluation).partition("Its maker decided:")[2]
    assert f"to accept the terms of `{made.BASE}` on 2026-11-21" in told
    assert "that the license of the data is `cc-by-4.0`." in told
    assert "that research use is enough" in told
    assert "- epochs: 1 (would have been 3: usual)." in told
    assert "set by you" not in render(evaluation)
    assert "set by its maker; would have been 3" in render(evaluation)


def classified(count=40, **changes):
    """An evaluation of a classifier with so many labels."""
    labels = {f"label {n}": 100 + n for n in range(count)}
    scores = {name: LabelScore(precision=0.5, recall=0.5, f1=n / count, rows=n) for n, name in enumerate(labels)}
    profile = made.make_profile(task="classification", shape="single-label", labels=labels, counts={})
    selection = made.make_selection(
        made.make_recommendation(profile), architecture=made.make_architecture(kind="encoder")
    )
    plan = made.make_plan(selection, method="full", trainer="encoder", validation_rows=30)
    points = tuple(ValidationPoint(step=9 * n, epoch=n, loss=1 / n, score=n / 40) for n in range(1, 21))
    training = made.make_training(plan, validation=points, kept_step=90)
    figures = {"accuracy": Figure(value=0.9123, low=0.88, high=0.94)}
    return made.make_evaluation(
        training,
        metric="accuracy",
        tuned=Score(name="tuned", figures=figures),
        baselines=(Score(name="majority", figures=figures),),
        against="majority",
        labels=scores,
        files=("confusion.png", "labels.csv", "loss.png"),
        **changes,
    )


def test_many_labels_are_cut_with_a_word_about_the_rest():
    text = card.render(classified(), "ada/topics")
    assert "The 30 labels that are found worst; the other 10 are found better than these." in text
    assert "| label 29 |" in text
    assert "| label 30 |" not in text
    assert "`label 19` and 20 more" in text
    assert "10 labels have fewer than 10 held-out rows" in text
    assert "| accuracy | 91.2 % (88.0 to 94.0) | 91.2 % (88.0 to 94.0) |" in text
    assert "*majority* always gives the most frequent answer." in text


def test_pictures_and_validation_stand_on_the_card():
    evaluation = classified()
    text = card.render(evaluation, "ada/topics")
    assert card.pictures(evaluation) == ("confusion.png", "loss.png")
    assert re.findall(r"!\[[^\]]+\]\(([a-z.]+)\)", text) == ["confusion.png", "loss.png"]
    assert "| 10 | 90 (kept) | 0.1 | 25.0 % |" in text
    assert "| 11 | 99 |" not in text
    bare = made.make_evaluation()
    assert card.pictures(bare) == ()
    assert "![" not in card.render(bare, "ada/tutor")


def test_what_went_otherwise_is_told():
    supervision = made.make_supervision(dropped={"nothing to learn": 3}, truncated=5, lost_tokens=1234)
    training = made.make_training(
        supervision=supervision, processes=2, adjustments=("batch 4 → 2: out of memory",), stopped_early="the end"
    )
    text = card.render(made.make_evaluation(training), "ada/tutor")
    assert "3 rows left out: nothing to learn. 5 rows cut, 1,234 tokens lost." in text
    assert "on 2 CPU cores, 2 processes" in text
    assert "- batch 4 → 2: out of memory." in text
    assert "It stopped early: the end." in text
    assert "Only the first 512 tokens of a row were learned from." in text


def test_what_the_data_held_is_a_limit():
    notes = (made.r.Note(code="email-addresses", message="3 rows with what looks like e-mail", count=3),)
    text = render(
        evaluation_with(profile=made.make_profile(notes=notes, domain="clinical", languages=("de", "en")))
    )
    limits = text.partition("## Limits")[2].partition("## ")[0]
    assert "held what looks like" in limits
    assert "The texts are clinical" in limits
    assert "text in German and English" in limits


@pytest.mark.parametrize(
    "text", [render(), card.rehearsal(made.make_plan(), "ada/tutor"), on_dataset(public=True)]
)
def test_no_section_is_empty_and_no_line_is_astray(text):
    assert not re.search(r"\n{3,}|\n## [^\n]+\n+## ", body(text))
    assert not re.search(
        r"[ \t]\n|  (?!\|)|\n [^ ]|\.\.|None|\bnan\b", re.sub(r"```.*?```", "", body(text), flags=re.DOTALL)
    )


def test_the_card_can_be_made_again_from_the_run_file(tmp_path):
    evaluation = classified()
    run = runfile.Run(options=Options(source="x.csv"), record=evaluation)
    runfile.save(run, tmp_path)
    assert card.render(runfile.load(tmp_path).evaluation, "ada/topics") == card.render(evaluation, "ada/topics")


def test_results_survive_the_clients_reading_and_writing():
    data = ModelCard(card.render(classified(), "ada/topics")).data
    again = ModelCard(f"---\n{data.to_yaml()}\n---\n").data
    assert again.eval_results == data.eval_results
    assert again.to_dict() == data.to_dict()
    assert data.model_name == "topics"
