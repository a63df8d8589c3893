"""`make demo` with real weights, on the first rows of its example: the main job as a new user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunekit_hub import demo, runfile

CODE = """
import sys
from pathlib import Path
from tunekit_hub import demo
demo.example = lambda: Path(sys.argv[1])
demo.run(Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_the_demo_ends_with_a_published_model_that_is_better(small_model, tmp_path):
    rows = demo.example().read_text(encoding="utf-8").splitlines(keepends=True)[:32]
    (tmp_path / "chats.jsonl").write_text("".join(rows), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    arguments = [sys.executable, "-c", CODE, "chats.jsonl", "demo"]
    done = subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    run = runfile.load(tmp_path / "demo")
    assert (run.status, run.recommendation.model) == ("done", "meta-llama/Llama-2-7b-chat-hf")
    assert run.selection.repo_id == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert "dequantized" in run.selection.weights_note
    assert run.training.supervision.share > 0.3
    assert run.evaluation.helped
    assert run.evaluation.reload.answers_equal
    pages = ["Profile", "Recommendation", "Selection", "Plan", "Publish rehearsal", "Supervision", "Training"]
    pages += ["Evaluation", "Answers", "Publication", f"The card of {demo.REPO}, as published"]
    places = [done.stdout.find(f"\n{page}\n") for page in pages]
    assert places == sorted(places)
    assert -1 not in places
    answers = [json.loads(line) for line in (tmp_path / "demo" / "answers.jsonl").read_text().splitlines()]
    assert len(answers) == run.evaluation.tuned.answers
    assert "<|im_start|>" not in done.stdout.split("\nAnswers\n")[1]
