from __future__ import annotations

from typing import get_args

import pytest
from check_facts import URL, facts, run
from records import make_architecture, make_request

from tunekit_hub.checks import CHECKS
from tunekit_hub.facts import Access, ModelFacts


def test_every_check_answers_on_hardly_any_facts():
    bare = ModelFacts(repo_id="owner/name", access="private-or-missing", url=URL)
    found = {name: check.run(bare, make_request()) for name, check in CHECKS.items()}
    assert all(found[name].message for name in ("access", "license", "files", "size"))
    assert {name for name, finding in found.items() if finding and finding.status == "block"} == {"access"}


@pytest.mark.parametrize("check", ["task", "language", "length"])
def test_what_only_data_ask_is_not_asked_without_data(check):
    nothing = make_request(task=None, languages=(), p95_tokens=None)
    assert CHECKS[check].run(facts(), nothing) is None


# access


@pytest.mark.parametrize("access", sorted(set(get_args(Access)) - {"open", "granted", "unverified"}))
def test_whoever_is_not_let_in_is_blocked_and_told_what_to_do(access):
    finding = run("access", facts(access=access, gated="manual" if "gated" in access else None))
    assert finding.status == "block"
    assert finding.fix
    assert "{" not in finding.message + finding.fix


def test_each_state_of_access_has_words_of_its_own():
    said = {run("access", facts(access=access, recorded="2026-01-02")).message for access in get_args(Access)}
    assert len(said) == len(get_args(Access))


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ("gated", URL),
        ("gated-no-token", "hf auth login"),
        ("gated-scope", "public gated repos"),
        ("invalid-token", "HF_TOKEN"),
        ("private-or-missing", "spelling"),
    ],
)
def test_the_fix_names_the_page_or_the_command(access, words):
    assert words in run("access", facts(access=access)).fix


def test_how_access_is_granted_is_said():
    assert "at once" in run("access", facts(access="gated", gated="auto")).message
    assert "by hand" in run("access", facts(access="gated", gated="manual")).message


@pytest.mark.parametrize("access", ["open", "granted"])
def test_who_may_read_passes(access):
    assert run("access", facts(access=access)).status == "pass"


@pytest.mark.parametrize("check", ["access", "license", "files"])
def test_offline_what_was_recorded_warns_with_its_date(check):
    finding = run(check, facts(access="unverified", recorded="2026-01-02", gated="manual", files=()))
    assert finding.status == "warn"
    assert "recorded 2026-01-02, not verified" in finding.message
    assert "gated" in run("access", facts(access="unverified", recorded="2026-01-02", gated="manual")).message


# license


@pytest.mark.parametrize(("declared", "status"), [("MIT", "pass"), ("my-own-license", "block")])
def test_letter_case_does_not_matter_and_an_id_nobody_knows_allows_nothing(declared, status):
    finding = run("license", facts(license=(declared,)))
    assert finding.status == status
    assert f"`{declared}`" in finding.message


def test_no_license_is_not_permission():
    finding = run("license", facts(license=()))
    assert finding.status == "block"
    assert "not permission" in finding.message
    assert "--accept-license owner/name" in finding.fix


@pytest.mark.parametrize("declared", [(), ("other",), ("unknown",), ("my-own-license",)])
def test_the_users_own_decision_is_recorded(declared):
    finding = run("license", facts(license=declared), accepted_licenses=("Owner/Name",))
    assert finding.status == "warn"
    assert "accepted for commercial use" in finding.message


@pytest.mark.parametrize("declared", ["cc-by-nc-4.0", "cc-by-nd-4.0"])
def test_a_decision_does_not_overrule_a_license_that_says_no(declared):
    one = facts(license=(declared,))
    assert run("license", one, accepted_licenses=("owner/name",)).status == "block"


def test_accepting_one_model_says_nothing_of_another():
    assert run("license", facts(license=()), accepted_licenses=("owner/other",)).status == "block"


def test_of_several_licenses_the_strictest_counts():
    finding = run("license", facts(license=("mit", "cc-by-nc-4.0", "apache-2.0")))
    assert finding.status == "block"
    assert "`mit`, `cc-by-nc-4.0`, `apache-2.0`" in finding.message
    assert "commercial" in finding.message


def test_the_models_own_name_and_link_are_shown_for_other():
    one = facts(license=("other",), license_name="acme-terms", license_link="https://acme.example/terms")
    finding = run("license", one)
    assert "acme-terms" in finding.message
    assert "https://acme.example/terms" in finding.fix


def test_a_noncommercial_license_points_to_research_use():
    assert "--use research" in run("license", facts(license=("cc-by-nc-4.0",))).fix


def test_llama_names_its_duties_and_the_agreement():
    finding = run("license", facts(license=("llama3.1",)))
    assert "Built with Llama" in finding.message
    assert "https://www.llama.com/" in finding.fix


def test_a_license_that_cannot_be_seen_is_not_called_missing():
    finding = run("license", facts(access="invalid-token", license=(), files=()))
    assert finding.status == "unknown"
    assert "declares no" not in finding.message


def test_a_recorded_license_warns_and_never_loosens():
    recorded = {"access": "unverified", "recorded": "2026-01-02"}
    passed = run("license", facts(**recorded))
    assert passed.status == "warn"
    assert "2026-01-02" in passed.message
    assert run("license", facts(license=(), **recorded)).status == "block"


# task, language and length


@pytest.mark.parametrize(
    ("kind", "task", "status"),
    [
        ("encoder", "instruction_tuning", "block"),
        ("decoder", "instruction_tuning", "pass"),
        ("encoder", "classification", "pass"),
    ],
)
def test_a_chat_takes_a_model_that_can_write(kind, task, status):
    assert run("task", facts(architecture=make_architecture(kind=kind)), task=task).status == status


@pytest.mark.parametrize(
    ("kind", "model", "data", "status"),
    [
        ("encoder", ("en",), ("en",), "pass"),
        ("encoder", ("en",), ("en-GB",), "pass"),
        ("encoder", ("en",), ("en", "de"), "block"),
        ("encoder", ("multilingual",), ("de", "th"), "pass"),
        ("encoder", ("en", "de"), ("de",), "pass"),
        ("encoder", (), ("de",), "pass"),
        ("decoder", ("en",), ("de",), "warn"),
    ],
)
def test_the_language_of_the_data_counts(kind, model, data, status):
    one = facts(languages=model, architecture=make_architecture(kind=kind))
    assert run("language", one, languages=data).status == status


def test_a_language_gap_names_both_sides():
    one = facts(languages=("en",), architecture=make_architecture(kind="encoder"))
    message = run("language", one, languages=("en", "de")).message
    assert "made for en" in message
    assert "de" in message


@pytest.mark.parametrize(("tokens", "status"), [(511, "pass"), (512, "pass"), (513, "warn")])
def test_truncation_is_said(tokens, status):
    finding = run("length", facts(architecture=make_architecture(context=512)), p95_tokens=tokens)
    assert finding.status == status
    assert (status == "warn") == ("will be cut" in finding.message)
