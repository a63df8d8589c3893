"""How a tuned chat model does against the untuned one: held-out loss, and answers side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunekit_hub import supervision
from tunekit_hub.errors import SupervisionError
from tunekit_hub.records import Figure, Plan, Score
from tunekit_hub.scores import answers, reload, scoring
from tunekit_hub.scores.bootstrap import ratio
from tunekit_hub.scores.scoring import Answer, RowLoss
from tunekit_hub.supervision.chat_templates import Template
from tunekit_hub.tasks import Measured, Trial

ANSWERS = 6  # written by each model; the first three are shown
MAX_ANSWER_TOKENS = 128
RELOADED_ROWS = 12

Rows = list[tuple[list[int], list[int]]]
Results = tuple[list[RowLoss], list[Answer]]


def evaluate(trial: Trial) -> Measured:
    """Score the tuned and the untuned model on the held-out rows. Writes `answers.jsonl`.

    Raises:
        SupervisionError: no held-out row has an answer within the length.
    """
    plan, tuned_folder = trial.plan, trial.run_dir / "model"
    adapter = tuned_folder if plan.adapter else None
    whole = trial.base if adapter else tuned_folder
    chats = trial.split.held_out
    trial.tell({"event": "note", "message": f"scoring {len(chats)} held-out rows, tuned and untuned"})
    model, tokenizer = scoring.load(whole, adapter, plan.precision)
    rows, prompts, shown = _held_out(tokenizer, chats, plan)
    tuned = _measure(model, tokenizer, rows, prompts)
    if adapter:
        with model.disable_adapter():
            untuned = _measure(model, tokenizer, rows, prompts)
    else:
        del model
        untuned = _measure(*scoring.load(trial.base, None, plan.precision), rows, prompts)
    _write_answers(trial.run_dir / answers.NAME, shown, untuned[1], tuned[1])
    payload = {"rows": rows[:RELOADED_ROWS], "prompts": prompts, "max_new_tokens": MAX_ANSWER_TOKENS}
    return Measured(
        rows=len(rows),
        tuned=_score("tuned", *tuned, plan.seed),
        baselines=(_score("untuned", *untuned, plan.seed),),
        against="untuned",
        gain=_gain(untuned[0], tuned[0], plan.seed),
        metric="loss",
        job=reload.Job(plan.task, str(whole), str(adapter) if adapter else None, plan.precision, payload),
        outputs=_outputs(tuned[0][:RELOADED_ROWS], tuned[1]),
        files=(answers.NAME,),
    )


def replay(job: reload.Job) -> reload.Outputs:
    """The losses and answers of a job, by the files alone."""
    model, tokenizer = scoring.load(Path(job.model), Path(job.adapter) if job.adapter else None, job.precision)
    losses = scoring.row_losses(model, job.payload["rows"])
    written = scoring.answers(model, tokenizer, job.payload["prompts"], job.payload["max_new_tokens"])
    return _outputs(losses, written)


def _outputs(losses: Sequence[RowLoss], written: Sequence[Answer]) -> reload.Outputs:
    return reload.Outputs(
        numbers=[[row.total / max(row.tokens, 1)] for row in losses], texts=[answer.text for answer in written]
    )


def _held_out(tokenizer: Any, chats: Sequence[Any], plan: Plan) -> tuple[Rows, list[str], list[Any]]:
    """Encoded rows; and, for the first few chats, the prompt before the last answer, and the chat as read."""
    done = supervision.supervise(tokenizer, chats, plan.max_tokens)
    if not done.rows:
        raise SupervisionError(
            f"none of the {len(chats)} held-out rows has an answer within {plan.max_tokens} tokens",
            "add rows, or raise the length: `--set max_tokens=…`",
        )
    template = Template(tokenizer)
    shown = [template.write(chats[i]).turns for i in done.kept[:ANSWERS]]
    prompts = [template.apply(chat[:-1], prompt=True) for chat in shown]
    return [(row.input_ids, row.labels) for row in done.rows], prompts, shown


def _readable(turns: Sequence[dict[str, str]]) -> str:
    """A chat up to its last question, as a person reads it."""
    if len(turns) == 1:
        return turns[0]["content"]
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


def _measure(model: Any, tokenizer: Any, rows: Rows, prompts: list[str]) -> Results:
    return scoring.row_losses(model, rows), scoring.answers(model, tokenizer, prompts, MAX_ANSWER_TOKENS)


def _score(name: str, losses: list[RowLoss], written: list[Answer], seed: int) -> Score:
    loss = ratio([row.total for row in losses], [row.tokens for row in losses], seed)
    stopped = sum(answer.stopped for answer in written)
    return Score(
        name=name,
        figures={
            "loss": loss,
            "perplexity": Figure(value=math.exp(min(loss.value, 50))),
            "stopped": Figure(value=stopped / max(len(written), 1), of=len(written)),
        },
    )


def _gain(untuned: list[RowLoss], tuned: list[RowLoss], seed: int) -> Figure:
    """Untuned minus tuned loss, paired by row."""
    pairs = list(zip(untuned, tuned, strict=True))
    return ratio([a.total - b.total for a, b in pairs], [a.tokens for a, _ in pairs], seed)


def _write_answers(path: Path, shown: list[Any], untuned: list[Answer], tuned: list[Answer]) -> None:
    lines = [
        json.dumps(
            {"prompt": _readable(chat[:-1]), "reference": chat[-1]["content"], "untuned": u.text, "tuned": t.text},
            ensure_ascii=False,
        )
        for chat, u, t in zip(shown, untuned, tuned, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
