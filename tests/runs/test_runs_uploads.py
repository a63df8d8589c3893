"""What may be named as data, and how much of it: no path, no address, no bomb."""

from __future__ import annotations

import gzip
import json
import os
import re
from dataclasses import fields

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runs_world import ADA, BOB, ROOT, TICKETS

from tunekit_hub import runs
from tunekit_hub.errors import AccessDenied, DataError, HubError, PlanError, RunError, UsageError


@pytest.mark.parametrize(
    "asked",
    [
        "/etc/passwd",
        "etc/../../passwd",
        "../secrets.csv",
        "..",
        "~/data.csv",
        "~root/x",
        "./data.csv",
        "file:///etc/passwd",
        "http://127.0.0.1/x.csv",
        "https://huggingface.co/datasets/a/b",
        "hf://datasets/ada/rows",
        "s3://bucket/rows",
        "C:\\data.csv",
        "\\\\host\\share",
        "data.csv",
        "a/b/c",
        "ada/..",
        "ada/rows@..",
        "ada/rows:..",
        "upload-../../x",
        "example-chat/../x",
        "upload-",
        "example-nothing",
        "",
        "a\0b/c",
        "-/x",
    ],
)
def test_only_handles_and_ids_name_data(service, local_hub, asked):
    local_hub.log.clear()
    for field in ({"source": asked}, {"source": "example-chat", "test_file": asked or "."}):
        with pytest.raises((DataError, UsageError)) as refused:
            service.profile(ADA, runs.options(**field))
        assert refused.value.hint
    assert local_hub.log == []


def test_a_folder_of_the_server_with_the_name_of_a_dataset_is_not_read(service, tmp_path, monkeypatch):
    (tmp_path / "here" / "ada").mkdir(parents=True)
    (tmp_path / "here" / "ada" / "rows").write_text(TICKETS)
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(HubError):
        service.profile(ADA, runs.options(source="ada/rows"))


@pytest.fixture
def datasets(hf):
    """A private dataset of ada's, a gated one of theirs that you may not read, and an open one."""
    for name, more in (("secret", {"private": True}), ("gated", {}), ("open", {})):
        hf("ada").create_repo(f"ada/{name}", repo_type="dataset", **more)
        hf("ada").upload_file(
            path_or_fileobj=TICKETS.encode(), path_in_repo="train.csv", repo_id=f"ada/{name}", repo_type="dataset"
        )
    hf("ada").update_repo_settings("ada/gated", repo_type="dataset", gated="manual")


@pytest.mark.parametrize("name", ["ada/secret", "ada/gated"])
def test_a_dataset_that_lies_in_the_cache_is_read_with_ones_own_access_only(service, datasets, local_hub, name):
    options = runs.options(source=name)
    assert service.profile(ADA, options, local_hub.tokens["ada"]).num_rows == 80
    for token in (local_hub.tokens["you"], None):
        with pytest.raises(HubError):
            service.profile(BOB, options, token)


def test_a_dataset_of_the_hub(service, datasets):
    found = service.profile(ADA, runs.options(source="ada/open"))
    assert (found.data.source, found.num_rows) == ("ada/open", 80)


def test_a_dataset_that_is_too_large_is_not_fetched(local_hub, tmp_path, datasets):
    service = runs.Service(tmp_path / "small", runs.Settings(max_upload=1000), endpoint=local_hub.endpoint)
    local_hub.log.clear()
    with pytest.raises(DataError, match=r"have 3\.\d kB, and at most 1"):
        service.profile(ADA, runs.options(source="ada/open"))
    assert not [path for _, path, _ in local_hub.log if path.endswith("train.csv")]


def test_uploads_have_names_without_folders(service, tickets):
    names = ["../../etc/passwd", "C:\\me\\rows.csv", "", "...", "a" * 300 + ".csv.gz", "día 1.csv", ".hidden"]
    kept = [service.keep(ADA, tickets, name) for name in names]
    assert [one.name for one in kept][:2] == ["passwd", "rows.csv"]
    for one in kept:
        assert "/" not in one.name
        assert one.name.strip(".")
        assert len(one.name) <= 100
    assert len({one.handle for one in kept}) == len(names)


def limited(local_hub, tmp_path, **limits) -> runs.Service:
    return runs.Service(tmp_path / "limited", runs.Settings(**limits), endpoint=local_hub.endpoint)


def test_a_file_over_the_limit(local_hub, tmp_path, tickets):
    service = limited(local_hub, tmp_path, max_upload=1000)
    with pytest.raises(DataError, match="at most 1") as refused:
        service.keep(ADA, tickets, "tickets.csv")
    assert "dataset of the Hub" in refused.value.hint
    assert not list((tmp_path / "limited" / "uploads").glob("*"))


def test_a_small_file_that_unpacks_to_a_large_one(local_hub, tmp_path):
    service = limited(local_hub, tmp_path, max_unpacked=1_000_000)
    packed = tmp_path / "rows.csv.gz"
    packed.write_bytes(gzip.compress(b"text,label\n" + b"aaaa,b\n" * 1_000_000))
    assert packed.stat().st_size < 50_000
    with pytest.raises(DataError, match="unpacks to more than"):
        service.keep(ADA, packed, "rows.csv.gz")


def test_a_parquet_file_whose_rows_share_one_large_value(local_hub, tmp_path):
    """Two megabytes once, in ten thousand rows: a few kilobytes as a file, twenty gigabytes as rows."""
    service = limited(local_hub, tmp_path, max_unpacked=50_000_000)
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), pa.array(["a" * 2_000_000]))
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"text": column}), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match="unpacks to more than"):
        service.keep(ADA, path, "bomb.parquet")


def test_packed_files_within_the_limit(service, tmp_path):
    path, packed = tmp_path / "rows.parquet", tmp_path / "rows.csv.gz"
    rows = [line.split(",") for line in TICKETS.splitlines()[1:]]
    pq.write_table(pa.table({"text": [r[0] for r in rows], "label": [r[1] for r in rows]}), path)
    packed.write_bytes(gzip.compress(TICKETS.encode()))
    for file in (path, packed):
        kept = service.keep(ADA, file, file.name)
        assert service.profile(ADA, runs.options(source=kept.handle)).num_rows == 80


@pytest.mark.parametrize("content", [b"PAR1 and no more", gzip.compress(b"x" * 1000)[:-9]])
def test_damaged_files_are_told(service, tmp_path, content):
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        service.keep(ADA, path, "broken.parquet")


def test_too_many_uploads_and_runs(local_hub, tmp_path, tickets):
    service = limited(local_hub, tmp_path, max_uploads=2, max_runs=1)
    handle = service.keep(ADA, tickets, "1.csv").handle
    service.keep(ADA, tickets, "2.csv")
    with pytest.raises(DataError, match="2 uploads of yours"):
        service.keep(ADA, tickets, "3.csv")
    service.keep(BOB, tickets, "1.csv")
    service.submit(ADA, runs.options(source=handle))
    with pytest.raises(RunError, match="wait already"):
        service.submit(ADA, runs.options(source=handle))
    with pytest.raises(RunError, match="needs these data"):
        service.forget(ADA, handle)


def test_too_many_rows_are_refused_and_fewer_of_them_are_not(local_hub, tmp_path, tickets):
    service = limited(local_hub, tmp_path, max_rows=50)
    handle = service.keep(ADA, tickets, "tickets.csv").handle
    with pytest.raises(DataError, match="80 rows, and a run trains on at most 50") as refused:
        service.submit(ADA, runs.options(source=handle))
    assert "50 or less" in refused.value.hint
    assert service.submit(ADA, runs.options(source=handle, max_rows=50))


def test_more_time_than_there_is(service):
    with pytest.raises(UsageError, match="may take 6"):
        service.plan(ADA, runs.options(source="example-chat", max_time=1e6))
    run = service.submit(ADA, runs.options(source="example-chat"))
    assert service.options(ADA, run).max_time == service.settings.max_time


@pytest.mark.parametrize("field", [{"accelerate_config": "/etc/passwd"}, {"report_to": "wandb"}, {"processes": 8}])
def test_what_is_the_owners_to_set(service, field):
    for call in (service.profile, service.plan, service.submit):
        with pytest.raises(UsageError, match="cannot be set here"):
            call(ADA, runs.options(source="example-chat", **field))


def test_wrong_options_are_named():
    with pytest.raises(UsageError, match="`max_rows`"):
        runs.options(source="example-chat", max_rows=-1)
    with pytest.raises(UsageError, match="`colour`"):
        runs.options(source="example-chat", colour="red")


def test_a_run_for_another_machine_is_refused_before_it_waits(service):
    with pytest.raises(PlanError, match="other hardware"):
        service.submit(ADA, runs.options(source="example-chat", hardware="t4-small"))
    assert "t4-small" in runs.hardware_names()


def test_examples_are_everybodys(service):
    for example in service.examples():
        found = service.profile(BOB, runs.options(source=example.handle))
        assert found.data.source == example.name
        assert found.num_rows > 50


def test_the_draft_of_a_card_and_a_rehearsal_need_a_target(service):
    with pytest.raises(AccessDenied, match="no repository is named"):
        service.rehearse(ADA, runs.options(source="example-chat"), None)


def test_settings_come_from_the_environment():
    given = {
        "TUNEKIT_WORKERS": "3",
        "TUNEKIT_MAX_UPLOAD": "5MB",
        "TUNEKIT_MAX_TIME": "90m",
        "TUNEKIT_RETENTION": "2d",
    }
    found = runs.Settings.from_environment(given | {"TUNEKIT_GUESTS_TRAIN": "yes", "TUNEKIT_GRACE": ""})
    assert (found.workers, found.max_upload, found.max_time, found.retention) == (3, 5_000_000, 5400.0, 172_800.0)
    assert found.guests_train
    assert found.grace == runs.Settings().grace


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WORKERS", "many"),
        ("WORKERS", "0"),
        ("MAX_TIME", "soon"),
        ("MAX_UPLOAD", "-5MB"),
        ("GUESTS_TRAIN", "maybe"),
    ],
)
def test_settings_that_cannot_be_read_are_named(name, text):
    with pytest.raises(UsageError, match=f"TUNEKIT_{name}"):
        runs.Settings.from_environment({f"TUNEKIT_{name}": text})


def test_a_choice_where_nothing_can_be_used_is_an_answer(service, local_hub):
    """The local Hub is empty: every candidate is missing, and that is data, not an error."""
    choice = service.select(ADA, runs.options(source="example-classification"))
    assert choice.selection is None
    assert choice.recommendation.model == choice.verdicts[0].model
    assert choice.message
    assert choice.hint
    verdicts = service.check(ADA, ["distilbert-base-uncased"])
    assert [verdict.usable for verdict in verdicts] == [False]
    assert json.dumps([verdict.model_dump(mode="json") for verdict in verdicts])


def test_nobody_but_this_user_can_look_into_the_folder(service):
    if os.name == "posix":
        assert (service._root.stat().st_mode & 0o077) == 0


def test_the_page_on_the_space_names_every_limit_with_its_default():
    told = dict(re.findall(r"^\| `(TUNEKIT_\w+)` \| (\S+) \|", (ROOT / "docs" / "space.md").read_text(), re.M))
    assert runs.Settings.from_environment(told) == runs.Settings()
    assert set(told) == {f"TUNEKIT_{field.name.upper()}" for field in fields(runs.Settings)}


def test_a_dataset_that_unpacks_to_too_much(local_hub, tmp_path, hf):
    service = limited(local_hub, tmp_path, max_unpacked=1_000_000)
    packed = gzip.compress(b"text,label\n" + b"aaaa,b\n" * 1_000_000)
    hf("ada").create_repo("ada/bomb", repo_type="dataset")
    hf("ada").upload_file(
        path_or_fileobj=packed, path_in_repo="train.csv.gz", repo_id="ada/bomb", repo_type="dataset"
    )
    with pytest.raises(DataError, match="unpacks to more than"):
        service.profile(ADA, runs.options(source="ada/bomb"))
