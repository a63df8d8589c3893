"""Hints are written for the command line; on a page the same things have controls, with other names."""

from __future__ import annotations

import os
import re

# What a hint says → what a visitor does instead, first to last. Flags without a control stay as they are.
_CONTROLS = (
    (r": `--task (\w+)` chooses it", r": choose `\1` under Task"),
    (r"with `?--column ROLE=NAME`?:", "under Columns, written ROLE=NAME:"),
    (r"`--column ([^`]+)`", r"`\1` under Columns"),
    (r"(`[^`]+`) under Columns (and|or) (`[^`]+`) under Columns", r"\1 \2 \3 under Columns"),
    (r" with (`[^`]+` (?:(?:and|or) `[^`]+` )?under Columns)", r": \1"),
    (r"add `--accept-license [^`]+`", "press “Accept its terms”"),
    (r" \(`--accept-license [^`]+`\)", ""),
    (r"add `--use research` if", "choose research use if"),
    (r"set --max-time to choose", "set a time limit to choose"),
    (r"(?:raise the budget: )?`?--max-time (\w+)`?", r"raise the time limit to \1"),
    (r"`--max-time`", "time limit"),
    (r"name one, such as `--model ([^`]+)`, or add `--explore` to take it", r"name one under Model, such as `\1`"),
    (r"`--model ([^`…]+)`", r"name `\1` under Model"),
    (r" with `--model`", " under Model"),
    (r"(another (?:model|one)): `--model …`", r"\1"),
    (r": `--model …`", ", under Model"),
    (r"(?:another )?`--model`", "another model"),
    (r"`--hardware ([^`]+)`", r"`\1` under Hardware"),
    (r"plan again without `--hardware`", "plan again for this machine"),
    (r": `--set max_tokens=(\S+)`", r" (Longest row, under More about the model)"),
    (r": `--set (\w+)=(\S+)`", r" to \2"),
    (r": `--dataset-license ID`", " under License of the data"),
    (r"leave `--weights` out", "choose “As the plan says” under Weights"),
    (r"`--weights adapter`", "“Adapter only” under Weights"),
    (r"`--weights merged`", "“Merged into the base's weights” under Weights"),
    (r"`--weights (\w+)`", r"`\1` under Weights"),
    (r"without `--public`", "with Private switched on"),
    (r"`--public`", "Private switched off"),
    (r"with `tunekit-hub profile`", "under Data"),
)
_ON_A_SPACE = ((r"with `hf auth login`", "with the button on top"),)


def named(words: str) -> str:
    """The words, with the page's controls in the place of flags."""
    elsewhere = _ON_A_SPACE if os.environ.get("SYSTEM") == "spaces" else ()
    for flag, control in (*_CONTROLS, *elsewhere):
        words = re.sub(flag, control, words)
    return words
