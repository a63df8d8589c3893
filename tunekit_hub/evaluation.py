"""Stage 6: tuned against untuned on rows neither was trained on, and the reload gate."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunekit_hub import extras, quiet, reload, scoring, supervision
from tunekit_hub.errors import SupervisionError
from tunekit_hub.hub import Hub
from tunekit_hub.records import ChatScore, Evaluation, Interval, Plan, TrainResult
from tunekit_hub.scoring import Answer, RowLoss
from tunekit_hub.splits import split
from tunekit_hub.trainers import OnEvent

RESAMPLES = 1000
ANSWERS = 6  # written by each model; the first three are shown
MAX_ANSWER_TOKENS = 128
RELOADED_ROWS = 12


def evaluate(training: TrainResult, *, hub: Hub | None = None, on_event: OnEvent | None = None) -> Evaluation:
    """Score the tuned and the untuned model on the held-out rows, and reload the files in a fresh process.

    Writes `answers.jsonl` in the run folder.

    Raises:
        ReloadMismatch: the saved files do not give the answers measured here.
    """
    extras.require("train", "evaluation")
    tell = on_event or (lambda _: None)
    plan, run_dir = training.plan, Path(training.run_dir)
    base = (hub or Hub()).fetch(plan.selection.repo_id, plan.selection.revision)
    chats = split(plan.selection.recommendation.profile, plan.seed).held_out
    tell({"event": "note", "message": f"scoring {len(chats)} held-out rows, tuned and untuned"})
    with quiet.libraries():
        rows, prompts, shown, untuned, tuned = _compare(plan, base, run_dir, chats)
    _write_answers(run_dir / "answers.jsonl", shown, untuned[1], tuned[1])
    tell({"event": "note", "message": "reload gate: the saved files in a fresh process"})
    adapter = _adapter(plan, run_dir)
    gate = reload.gate(
        reload.Job(
            base=str(base if adapter else run_dir / "model"),
            adapter=str(adapter) if adapter else None,
            precision=plan.precision,
            rows=rows[:RELOADED_ROWS],
            prompts=prompts,
            max_new_tokens=MAX_ANSWER_TOKENS,
        ),
        tuned[0][:RELOADED_ROWS],
        tuned[1],
    )
    gain = _gain(untuned[0], tuned[0], plan.seed)
    before, after = _score(*untuned, plan.seed), _score(*tuned, plan.seed)
    return Evaluation(
        training=training,
        rows=len(rows),
        untuned=before,
        tuned=after,
        helped=gain.low > 0,
        gain=gain,
        verdict=_verdict(before, after, gain),
        reload=gate,
    )


Rows = list[tuple[list[int], list[int]]]
Measured = tuple[list[RowLoss], list[Answer]]


def _adapter(plan: Plan, run_dir: Path) -> Path | None:
    return None if plan.method == "full" else run_dir / "model"


def _compare(
    plan: Plan, base: Path, run_dir: Path, chats: Sequence[Any]
) -> tuple[Rows, list[str], list[Any], Measured, Measured]:
    """The held-out rows, prompts and their chats; the untuned model's results; the tuned model's."""
    adapter = _adapter(plan, run_dir)
    model, tokenizer = scoring.load(base if adapter else run_dir / "model", adapter, plan.precision)
    rows, prompts, shown = _held_out(tokenizer, chats, plan)
    tuned = _measure(model, tokenizer, rows, prompts)
    if adapter:
        with model.disable_adapter():
            return rows, prompts, shown, _measure(model, tokenizer, rows, prompts), tuned
    del model
    return rows, prompts, shown, _measure(*scoring.load(base, None, plan.precision), rows, prompts), tuned


def _held_out(tokenizer: Any, chats: Sequence[Any], plan: Plan) -> tuple[Rows, list[str], list[Any]]:
    """Encoded rows; and, for the first few chats, the prompt before the last answer, and the chat."""
    done = supervision.supervise(tokenizer, chats, plan.max_tokens)
    if not done.rows:
        raise SupervisionError(
            f"none of the {len(chats)} held-out rows has an answer within {plan.max_tokens} tokens",
            "add rows, or raise the length: `--set max_tokens=…`",
        )
    shown = [chats[i] for i in done.kept][:ANSWERS]
    prompts = [supervision.render(tokenizer, chat[:-1], prompt=True) for chat in shown]
    return [(row.input_ids, row.labels) for row in done.rows], prompts, shown


def _readable(turns: Sequence[dict[str, str]]) -> str:
    """A chat up to its last question, as a person reads it."""
    if len(turns) == 1:
        return turns[0]["content"]
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


def _measure(model: Any, tokenizer: Any, rows: Rows, prompts: list[str]) -> Measured:
    return scoring.row_losses(model, rows), scoring.answers(model, tokenizer, prompts, MAX_ANSWER_TOKENS)


def _score(losses: list[RowLoss], answers: list[Answer], seed: int) -> ChatScore:
    loss = _bootstrap([row.total for row in losses], [row.tokens for row in losses], seed)
    return ChatScore(
        loss=loss,
        perplexity=math.exp(min(loss.value, 50)),
        answers=len(answers),
        stopped=sum(answer.stopped for answer in answers),
    )


def _gain(untuned: list[RowLoss], tuned: list[RowLoss], seed: int) -> Interval:
    """Untuned minus tuned loss, paired by row."""
    pairs = list(zip(untuned, tuned, strict=True))
    return _bootstrap([a.total - b.total for a, b in pairs], [a.tokens for a, _ in pairs], seed)


def _bootstrap(totals: list[float], tokens: list[int], seed: int) -> Interval:
    """Loss per token and its 95 % interval: percentile bootstrap over rows (Efron & Tibshirani 1993, ch. 13)."""
    import numpy as np

    sums, counts = np.array(totals), np.array(tokens)
    picks = np.random.default_rng(seed).integers(0, len(sums), (RESAMPLES, len(sums)))
    low, high = np.percentile(sums[picks].sum(1) / counts[picks].sum(1), [2.5, 97.5])
    return Interval(value=float(sums.sum() / counts.sum()), low=float(low), high=float(high))


def _verdict(untuned: ChatScore, tuned: ChatScore, gain: Interval) -> str:
    moved = f"held-out loss went from {untuned.loss.value:.3f} to {tuned.loss.value:.3f} nats per token"
    by = f"{gain.value:+.3f} gained ({gain.low:+.3f} to {gain.high:+.3f})"
    if gain.low > 0:
        return f"Fine-tuning helped: {moved}, {by}."
    if gain.high < 0:
        return f"Fine-tuning made it worse: {moved}, {by}. Use the untuned model."
    return f"Fine-tuning did not help: {moved}, {by}, which chance explains. The untuned model does as well."


def _write_answers(path: Path, shown: list[Any], untuned: list[Answer], tuned: list[Answer]) -> None:
    lines = [
        json.dumps(
            {"prompt": _readable(chat[:-1]), "reference": chat[-1]["content"], "untuned": u.text, "tuned": t.text},
            ensure_ascii=False,
        )
        for chat, u, t in zip(shown, untuned, tuned, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
