"""Loaded by every Python of a benchmark's side, ours and theirs: notes when steps begin and end, and their tokens.

`SPEED_LOG` names the file. What is noted comes from transformers' own loop, which all sides run, and from the
batches that it hands to the model.
"""

import atexit
import importlib.util
import json
import os
import sys
import time
from typing import Any

LOG = os.environ.get("SPEED_LOG", "")


class _OnImport:
    """Puts the watch into `transformers.trainer` once that is imported."""

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002
        if name != "transformers.trainer":
            return None
        sys.meta_path.remove(self)
        spec: Any = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def watched(module):
            load(module)
            _watch(module)

        spec.loader.exec_module = watched
        return spec


def _watch(module):
    seen = {"tokens": 0, "computed": 0, "batches": 0, "steps": 0, "begin": 0.0, "end": 0.0}
    batch, step_end = module.Trainer.training_step, module.CallbackHandler.on_step_end

    def computes(module, given):  # what the model is handed, which a side may have made shorter than the batch
        if module.training:
            seen["computed"] += given[0].numel()

    def training_step(self, model, inputs, *args, **kwargs):
        if not seen["batches"]:
            seen["begin"] = time.time()
            atexit.register(_note, seen)
            model.get_input_embeddings().register_forward_pre_hook(computes)
        mask = inputs.get("attention_mask")
        seen["batches"] += 1
        seen["tokens"] += inputs["input_ids"].numel() if mask is None else int(mask.sum())
        return batch(self, model, inputs, *args, **kwargs)

    def on_step_end(self, *args, **kwargs):
        seen["steps"] += 1
        seen["end"] = time.time()
        return step_end(self, *args, **kwargs)

    module.Trainer.training_step, module.CallbackHandler.on_step_end = training_step, on_step_end


def _note(seen):
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(json.dumps(seen) + "\n")


if LOG:
    sys.meta_path.insert(0, _OnImport())
