"""Datasets of the Hub, pushed and read with the real client over real HTTP."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from tunekit_hub import data
from tunekit_hub.dataset_ids import DatasetId, parse
from tunekit_hub.errors import AccessDenied, DataError, HubUnreachable, RepoNotFound
from tunekit_hub.hub import Hub
from tunekit_hub.hub import datasets as hub_datasets
from tunekit_hub.localhub.access import set_request
from tunekit_hub.localhub.repos import open_repo

CARD = "---\nlicense: mit\n---\nReviews.\n"
ROWS = "text,label\nsome text,pos\nother text,neg\n"


def parquet(**columns) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def piece(number: int) -> bytes:
    return parquet(text=[f"text {number}", f"more {number}"], label=[0, 1])


@pytest.fixture
def dataset(hf):
    """Makes a dataset of "ada" with these files; gives the commit."""

    def make(files, name="ada/reviews", **options) -> str:
        client = hf("ada")
        client.create_repo(name, repo_type="dataset", exist_ok=True, **options)
        for path, content in files.items():
            raw = content if isinstance(content, bytes) else content.encode()
            client.upload_file(path_or_fileobj=raw, path_in_repo=path, repo_id=name, repo_type="dataset")
        return client.dataset_info(name).sha

    return make


def texts(rows) -> list[str]:
    return rows.table.column("text").to_pylist()


def test_files_by_their_names(you, dataset):
    commit = dataset(
        {"train.csv": ROWS, "test.csv": "text,label\nto test,pos\n", "valid.csv": ROWS, "README.md": CARD}
    )
    opened = data.open_source("ada/reviews", hub=you)
    assert texts(opened.train) == ["some text", "other text"]
    assert texts(opened.test) == ["to test"]
    assert (opened.train.ref.source, opened.train.ref.revision) == ("ada/reviews", commit)
    assert opened.test.ref.source == "ada/reviews"
    assert "not used: `valid.csv`" in opened.train.notes[0].message


def test_pieces_of_parquet_with_label_names_on_the_card(you, dataset):
    card = (
        "---\nlicense: cc-by-4.0\ndataset_info:\n  features:\n  - name: text\n    dtype: string\n  - name: label\n"
        "    dtype:\n      class_label:\n        names:\n          '0': neg\n          '1': pos\n---\nReviews.\n"
    )
    names = [f"data/train-0000{i}-of-00002.parquet" for i in (0, 1)]
    dataset(
        {names[0]: piece(0), names[1]: piece(1), "data/test-00000-of-00001.parquet": piece(9), "README.md": card}
    )
    opened = data.open_source("ada/reviews", hub=you)
    assert texts(opened.train) == ["text 0", "more 0", "text 1", "more 1"]
    assert opened.train.table.column("label").to_pylist() == ["neg", "pos"] * 2
    assert texts(opened.test) == ["text 9", "more 9"]
    assert hub_datasets.fetch(you, DatasetId("ada/reviews")).license == ("cc-by-4.0",)


CONFIGS = """---
configs:
- config_name: en
  data_files:
  - split: train
    path: "english/part-*.csv"
  - split: test
    path: english/held.csv
- config_name: de
  data_files: deutsch/*.csv
---
"""


def test_configurations_of_the_card(you, dataset):
    files = {f"english/part-{i}.csv": f"text,label\nen {i},x\nen2 {i},y\n" for i in (1, 2)}
    files |= {"english/held.csv": "text,label\nheld,x\n", "deutsch/train.csv": "text,label\nja,x\nnein,y\n"}
    dataset(files | {"README.md": CONFIGS})
    opened = data.open_source("ada/reviews:en", hub=you)
    assert texts(opened.train) == ["en 1", "en2 1", "en 2", "en2 2"]
    assert texts(opened.test) == ["held"]
    assert texts(data.open_source("ada/reviews:de", hub=you).train) == ["ja", "nein"]
    with pytest.raises(DataError) as caught:
        data.open_source("ada/reviews", hub=you)
    assert "has 2 configurations, and none is the default" in caught.value.message
    assert caught.value.hint.endswith("with one of `en`, `de`")
    with pytest.raises(DataError, match="has no configuration `fr`"):
        data.open_source("ada/reviews:fr", hub=you)


def test_folders_serve_as_configurations_where_the_card_has_none(you, dataset):
    dataset({f"{part}/train.jsonl": json.dumps({"text": part, "label": "x"}) + "\n" for part in ("en", "de")})
    assert texts(data.open_source("ada/reviews:de", hub=you).train) == ["de"]
    with pytest.raises(DataError) as caught:
        data.open_source("ada/reviews", hub=you)
    assert "has 2 files to train on: `de/train.jsonl`, `en/train.jsonl`" in caught.value.message
    assert "`ada/reviews:FOLDER`" in caught.value.hint


def test_one_file_of_a_dataset(you, dataset):
    dataset({"a.csv": ROWS, "b.csv": "text,label\nfrom b,x\n"})
    opened = data.open_source("hf://datasets/ada/reviews/b.csv", hub=you)
    assert texts(opened.train) == ["from b"]
    assert data.open_source(
        "hf://datasets/ada/reviews/a.csv", test_file="hf://datasets/ada/reviews/b.csv", hub=you
    ).test
    with pytest.raises(DataError, match=r"has no file `c.csv`"):
        data.open_source("hf://datasets/ada/reviews/c.csv", hub=you)


def test_a_commit_stays_what_it_was(you, dataset):
    first = dataset({"train.csv": ROWS})
    dataset({"train.csv": "text,label\nchanged,x\n"})
    assert texts(data.open_source("ada/reviews", hub=you).train) == ["changed"]
    old = data.open_source("ada/reviews", hub=you, revision=first)
    assert texts(old.train) == ["some text", "other text"]
    assert old.train.ref.revision == first
    assert texts(data.open_source(f"ada/reviews@{first}", hub=you).train) == ["some text", "other text"]


def test_offline_what_was_fetched_is_still_there(you, dataset, monkeypatch):
    commit = dataset({"train.csv": ROWS, "test.csv": ROWS, "README.md": CARD})
    before = data.open_source("ada/reviews", hub=you)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    after = data.open_source("ada/reviews", hub=you, revision=commit)
    assert after.train.ref == before.train.ref.but(public=False)  # offline, nobody can say
    with pytest.raises(
        HubUnreachable, match=r"no file or folder here, so the Hub was asked for it: .* not on this machine"
    ):
        data.open_source("ada/other", hub=you)


def test_the_cache_is_that_of_the_endpoint(you, dataset):
    dataset({"train.csv": ROWS})
    folder = hub_datasets.fetch(you, DatasetId("ada/reviews")).folder
    assert "tunekit" in folder.parts


def test_a_dataset_that_is_not_there(you, local_hub):
    with pytest.raises(RepoNotFound) as caught:
        data.open_source("ada/reviews", hub=you)
    assert caught.value.message.startswith("`ada/reviews` is no file or folder here, and no dataset: ")
    assert caught.value.hint.startswith("check the path; or ")


def test_a_private_dataset_of_somebody_else(you, dataset, local_hub):
    dataset({"train.csv": ROWS}, private=True)
    with pytest.raises(RepoNotFound):
        data.open_source("ada/reviews", hub=you)
    ada = Hub(local_hub.tokens["ada"], local_hub.endpoint)
    assert data.open_source("ada/reviews", hub=ada).train.table.num_rows == 2


def test_a_gated_dataset(you, dataset, local_hub):
    dataset({"train.csv": ROWS})
    repo = open_repo(local_hub.storage, "dataset", "ada/reviews")
    repo.update(gated="manual")
    with pytest.raises(AccessDenied, match="the repository is gated"):
        data.open_source("ada/reviews", hub=you)
    set_request(repo, "you", "accepted")
    assert data.open_source("ada/reviews", hub=you).train.table.num_rows == 2


def test_a_dataset_made_by_a_script(you, dataset):
    dataset({"reviews.py": "import os", "README.md": CARD})
    with pytest.raises(DataError) as caught:
        data.open_source("ada/reviews", hub=you)
    assert "only the script `reviews.py`, and scripts are not run" in caught.value.message
    assert caught.value.hint == "try its converted files: `ada/reviews@refs/convert/parquet`"
    assert parse("ada/reviews@refs/convert/parquet").revision == "refs/convert/parquet"
