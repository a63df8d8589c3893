"""Datasets straight from the local Hub, with the real `datasets` library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ROWS = [{"text": f"row {number}", "label": number % 2} for number in range(20)]
NAMED = b"""---
configs:
- config_name: default
  data_files:
  - split: one
    path: a.csv
---
"""
CODE = """
import json, sys
from datasets import load_dataset
found = {}
for name in sys.argv[1:]:
    data = load_dataset(name)
    found[name] = {split: [len(rows), sorted(rows.column_names), rows[0]] for split, rows in data.items()}
streamed = load_dataset(sys.argv[1], split="test", streaming=True)
found["streamed"] = next(iter(streamed))
print(json.dumps(found))
"""


def lines(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def filled(hf):
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    api = hf("you")
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), table)
    files = {
        "you/jsonl": {"train.jsonl": lines(ROWS[:15]), "test.jsonl": lines(ROWS[15:])},
        "you/parquet": {"data/train-00000-of-00001.parquet": table.getvalue()},
        "you/named": {
            "README.md": NAMED,
            "a.csv": b"text,label\nhello,1\n",
        },
    }
    for name, contents in files.items():
        api.create_repo(name, repo_type="dataset", private=name == "you/jsonl")
        for path, content in contents.items():
            api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=name, repo_type="dataset")
    return list(files)


def test_load_dataset(filled, hub_env, tmp_path):
    env = {**hub_env, "HF_DATASETS_CACHE": str(tmp_path / "datasets")}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *filled], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["you/jsonl"] == {
        "train": [15, ["label", "text"], ROWS[0]],
        "test": [5, ["label", "text"], ROWS[15]],
    }
    assert found["you/parquet"]["train"] == [20, ["label", "text"], ROWS[0]]
    assert found["you/named"] == {"one": [1, ["label", "text"], {"text": "hello", "label": 1}]}
    assert found["streamed"] == ROWS[15]
