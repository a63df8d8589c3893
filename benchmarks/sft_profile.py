"""Where the time of our chat fine-tuning goes: three steps under torch's profiler, shares by kind of work.

    python benchmarks/sft_profile.py [--threads 1] [--table]

The model and the chats are those of `sft_speed.py`, in float32. The first step is not counted. `--table` prints
the slowest operations.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import memory_cells
import sft_speed
import speed_rows

STEPS, BATCH = 4, 4
KINDS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::addmm_", "aten::bmm"),
    "attention": ("aten::_scaled_dot_product",),
    "softmax of the loss": ("aten::_log_softmax", "aten::exp_", "aten::nll", "aten::gather", "aten::scatter_add_"),
    "adding and scaling": ("aten::add", "aten::mul", "aten::div"),
    "activations of the MLP": ("aten::silu",),
    "copies": ("aten::copy_", "aten::cat", "aten::fill_"),
    "optimizer": ("aten::_fused_adamw_",),
}


def main() -> None:
    """Train and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--threads", type=int, default=0, help="as many as there are cores by default")
    asked.add_argument("--table", action="store_true")
    given = asked.parse_args()
    import torch

    if given.threads:
        torch.set_num_threads(given.threads)
    profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    _train(profiler)
    found = profiler.key_averages()
    kinds: Counter[str] = Counter()
    for one in found:
        kinds[_kind(one.key)] += one.self_cpu_time_total
    whole = kinds.total()
    for kind, spent in kinds.most_common():
        sys.stdout.write(f"{spent / whole * 100:5.1f} %  {kind}\n")
    if given.table:
        sys.stdout.write(found.table(sort_by="self_cpu_time_total", row_limit=30, max_name_column_width=45) + "\n")


def _kind(name: str) -> str:
    for kind, begins in KINDS.items():
        if name in begins or (not name.endswith("_") and name.startswith(begins)):
            return kind
    return "all other"


def _train(profiler: Any) -> None:
    from tunekit_hub import quiet, supervision
    from tunekit_hub.facts import Running
    from tunekit_hub.localhub import weights
    from tunekit_hub.trainers.sft import SFT

    base = weights.from_wheel(sft_speed.NAME).folder
    chats = [row["messages"] for row in speed_rows.chats(STEPS * BATCH, 0)]
    done = supervision.supervise(supervision.load_tokenizer(base), chats, 512)
    cell: dict[str, Any] = {"model": sft_speed.NAME, "device": "cpu", "method": "lora", "precision": "fp32"}
    cell |= {"batch": BATCH, "tokens": 512, "accumulation": 1, "checkpointing": 0}
    plan = memory_cells._plan(cell).but(train_rows=len(done.rows), learning_rate=sft_speed.RATE)

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "step" and event["step"] in (1, event["steps"]):
            (profiler.start if event["step"] == 1 else profiler.stop)()

    with quiet.libraries(), tempfile.TemporaryDirectory() as run_dir:
        SFT.fit(plan, base, done, Path(run_dir), tell, Running())


if __name__ == "__main__":
    main()
