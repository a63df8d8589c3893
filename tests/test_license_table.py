"""Every license id the Hub lists, held against both uses; and licenses of data, alone and with the model's."""

from __future__ import annotations

import datetime
import re

import pytest
from records import make_profile, make_recommendation, make_request

from tunekit_hub.checks import CHECKS
from tunekit_hub.errors import DataError, UsageError
from tunekit_hub.facts import ModelFacts
from tunekit_hub.figures import DataRef
from tunekit_hub.localhub.known import LICENSES
from tunekit_hub.selection import select
from tunekit_hub.verdicts import licenses
from tunekit_hub.verdicts.licenses import Declared, combined, weigh

# Kind → the ids of it. With the verdicts below this is the whole table, written down a second time.
KINDS = {
    "allowed": """apache-2.0 mit afl-3.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 cc0-1.0
        cdla-permissive-1.0 cdla-permissive-2.0 ecl-2.0 isc ncsa openmdw-1.0 openmdw-1.1 pddl postgresql unlicense
        wtfpl zlib""",
    "duties": """artistic-2.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cdla-sharing-1.0
        epl-1.0 epl-2.0 etalab-2.0 gfdl lgpl lgpl-2.1 lgpl-3.0 lgpl-lr lppl-1.3c mpl-2.0 ms-pl odbl odc-by""",
    "conditions": """agpl-3.0 apple-ascl bigcode-openrail-m bigscience-bloom-rail-1.0 bigscience-openrail-m c-uda
        creativeml-openrail-m eupl-1.1 eupl-1.2 gemma gpl gpl-2.0 gpl-3.0 grok2-community llama2 llama3 llama3.1
        llama3.2 llama3.3 llama4 ofl-1.1 openrail openrail++ osl-3.0""",
    "noncommercial": """apple-amlr cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
        cc-by-nc-sa-4.0 deepfloyd-if-license fair-noncommercial-research-license h-research intel-research""",
    "no-derivatives": "cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0",
    "unclear": "cc other unknown",
}
VERDICTS = {
    ("allowed", "commercial"): "pass",
    ("allowed", "research"): "pass",
    ("duties", "commercial"): "warn",
    ("duties", "research"): "warn",
    ("conditions", "commercial"): "warn",
    ("conditions", "research"): "warn",
    ("noncommercial", "commercial"): "block",
    ("noncommercial", "research"): "warn",
    ("no-derivatives", "commercial"): "block",
    ("no-derivatives", "research"): "block",
    ("unclear", "commercial"): "block",
    ("unclear", "research"): "block",
}
SAID = {
    "allowed": "allows",
    "duties": "with duties",
    "conditions": "under conditions",
    "noncommercial": "rules out commercial use",
    "no-derivatives": "rules out publishing",
    "unclear": "does not tell what is allowed",
}
ALL = [(name, kind) for kind, names in KINDS.items() for name in names.split()]
PAGE = "https://hub.example/owner/name"


def verdict(*ids: str, use: str = "commercial", **changes):
    facts = ModelFacts(repo_id="owner/name", access="open", license=ids, files=("model.safetensors",), url=PAGE)
    return CHECKS["license"].run(facts.but(**changes), make_request(use=use))


def test_the_table_is_whole():
    assert len(ALL) == len({name for name, _ in ALL})
    assert {name for name, _ in ALL} == set(licenses.table().licenses) == LICENSES


@pytest.mark.parametrize("use", ["commercial", "research"])
@pytest.mark.parametrize(("name", "kind"), ALL, ids=[name for name, _ in ALL])
def test_every_license_for_both_uses(name, kind, use):
    finding = verdict(name, use=use)
    assert finding.status == VERDICTS[kind, use]
    assert f"`{name}`" in finding.message
    assert SAID[kind] in finding.message
    if kind not in ("allowed", "unclear"):  # the duty in words, and where to read it
        assert len(finding.message.partition(": ")[2]) > 20
    if finding.status != "pass":
        assert re.search(r"https?://", finding.fix)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("llama2", "improve no other language models"),
        ("llama3", "`Built with Meta Llama 3`"),
        ("llama3.1", "begin the name of the fine-tuned model with `Llama`"),
        ("llama3.2", "European Union"),
        ("llama3.3", "700 million monthly users"),
        ("llama4", "European Union"),
        ("gemma", "prohibited use policy"),
        ("cc-by-sa-4.0", "under this license too"),
        ("openrail", "forbidden uses"),
    ],
)
def test_what_a_license_asks_for_is_said(name, words):
    assert words in verdict(name).message


def test_of_several_the_strictest_counts_even_where_two_have_the_same_status():
    finding = verdict("mit", "llama2", "cc-by-4.0")
    assert finding.status == "warn"
    assert "the strictest counts: `llama2`" in finding.message
    assert verdict("cc-by-nc-4.0", "cc-by-nd-4.0").message.count("publishing") == 1


def test_a_repository_that_has_the_text_of_its_license_is_read_first():
    assert "https://acme.example/terms" in verdict("cc-by-nc-4.0", license_link="https://acme.example/terms").fix
    assert f"read {PAGE}/blob/main/LICENSE" in verdict("llama2", license_link="./LICENSE").fix
    assert f"read {PAGE}/blob/main/LICENSE;" in verdict("other", license_name="acme", license_link="LICENSE").fix


def test_a_decision_is_kept_with_its_date():
    facts = ModelFacts(repo_id="owner/name", access="open", license=(), files=("x",), url=PAGE)
    request = make_request(accepted_licenses=("owner/name",), accepted_on=datetime.date(2026, 11, 21))
    finding = CHECKS["license"].run(facts, request)
    assert finding.status == "warn"
    assert "accepted for commercial use on 2026-11-21 (`--accept-license owner/name`)" in finding.message
    assert "2026-11-21" in request.model_dump_json()
    assert type(request).model_validate_json(request.model_dump_json()) == request


# licenses of data


def model(*ids: str) -> Declared:
    return Declared("model", "owner/name", ids, page=PAGE)


def data(*ids: str) -> Declared:
    return Declared("dataset", "rows.csv", ids)


@pytest.mark.parametrize("use", ["commercial", "research"])
@pytest.mark.parametrize(("name", "kind"), ALL, ids=[name for name, _ in ALL])
def test_data_are_weighed_as_models_are(name, kind, use):
    finding = weigh(data(name), make_request(use=use))
    assert finding.status == VERDICTS[kind, use]
    assert "model with another license" not in finding.fix


@pytest.mark.parametrize(
    ("base", "rows", "status", "words"),
    [
        (("mit",), ("apache-2.0",), "pass", "allowed"),
        (("apache-2.0",), ("cc-by-4.0",), "warn", "with duties"),
        (("apache-2.0",), ("cc-by-nc-4.0",), "block", "rules out commercial use"),
        (("cc-by-nd-4.0",), ("mit",), "block", "rules out publishing"),
        (("gpl-3.0",), ("cc-by-sa-4.0",), "warn", "each want"),
        (("cc-by-sa-4.0",), ("cc-by-sa-4.0",), "warn", "with duties"),
        ((), ("mit",), "block", "no license"),
    ],
)
def test_model_and_data_together(base, rows, status, words):
    finding, _ = combined((model(*base), data(*rows)), make_request())
    assert finding.status == status
    assert words in finding.message


def test_every_duty_of_both_is_told_once_with_its_link():
    _, duties = combined((model("cc-by-4.0", "mit"), data("cc-by-4.0", "odbl")), make_request())
    assert [duty.license for duty in duties] == ["cc-by-4.0", "mit", "odbl"]
    assert all(duty.text and duty.link and duty.link in str(duty) for duty in duties)


class NoHub:
    """Fails the test that asks the Hub anything."""


@pytest.mark.parametrize("license_", ["cc-by-nc-4.0", "cc-by-nd-4.0", "mit, cc-by-nc-sa-4.0"])
def test_no_ladder_mends_data_that_may_not_be_used(license_):
    with pytest.raises(DataError, match=r"support_chats\.jsonl.*rules out") as caught:
        select(make_recommendation(), dataset_license=license_, hub=NoHub())
    assert "--use research" in caught.value.hint or "nd" in license_


def test_an_unclear_license_of_data_is_the_users_to_decide():
    with pytest.raises(DataError) as caught:
        select(make_recommendation(), dataset_license="other", hub=NoHub())
    assert "--accept-license support_chats.jsonl" in caught.value.hint


def test_a_mistyped_license_is_a_question_back():
    with pytest.raises(UsageError) as caught:
        select(make_recommendation(), dataset_license="apache2", hub=NoHub())
    assert "`apache-2.0`" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_dataset_of_the_hub_that_declares_nothing_needs_a_decision():
    class Silent(NoHub):
        def dataset_license(self, dataset_id: str) -> tuple[str, ...]:
            assert dataset_id == "ada/rows"
            return ()

    ref = DataRef(source="ada/rows:main@v1", format="parquet", sha256="0" * 64, revision="1" * 40)
    with pytest.raises(DataError, match="declares no license") as caught:
        select(make_recommendation(make_profile(data=ref)), hub=Silent())
    assert "--accept-license ada/rows" in caught.value.hint
