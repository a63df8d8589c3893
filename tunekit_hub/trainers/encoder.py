"""Classification and tagging with transformers' Trainer: all weights, or LoRA merged into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunekit_hub import storage
from tunekit_hub.errors import UsageError
from tunekit_hub.facts import Running
from tunekit_hub.records import Plan
from tunekit_hub.trainers import Fitted, OnEvent, Recipe, Trainer, _imports
from tunekit_hub.trainers._encoder_loss import carried
from tunekit_hub.trainers._encoder_model import build, save
from tunekit_hub.trainers._encoder_rows import Prepared, lengths, prepare
from tunekit_hub.trainers._encoder_trainer import blank, collator, encoder_trainer
from tunekit_hub.trainers._encoder_validation import Validation, validation_callback
from tunekit_hub.trainers._lasting import arguments, line, one_gpu, run
from tunekit_hub.trainers._session import Session

RECIPE = Recipe(
    # 2e-4 is what a plain Trainer with MiniLM took on banking77 (accuracy 0.929) and ncbi_disease (F1 0.835).
    # 5e-5 and less for larger ones is from the papers of BERT and RoBERTa; the larger the model, the less.
    full_rates=((50e6, 2e-4), (150e6, 5e-5), (250e6, 3e-5), (float("inf"), 1e-5)),
    lora_rates=((50e6, 2e-3), (150e6, 5e-4), (250e6, 3e-4), (float("inf"), 2e-4)),
    epochs=((500, 15.0), (2000, 8.0), (float("inf"), 5.0)),
    epochs_reason="few rows need more passes; validation chooses the checkpoint, so too many do no harm",
    step_rows=((20_000, 16), (float("inf"), 32)),
    batches=(32, 16, 8, 4, 2, 1),
    cpu_batch=16,
    patience=((1000, 4), (float("inf"), 2)),  # few rows make short passes, and few to validate on
)


def _fit(
    plan: Plan,
    base: Path,
    done: Prepared,
    run_dir: Path,
    on_event: OnEvent,
    running: Running = Running(),  # noqa: B008 - frozen
) -> Fitted:
    _imports.adapters(plan.method)
    from transformers import PrinterCallback, set_seed

    set_seed(plan.seed)
    model = build(plan, base, done.head, done.labels)
    lengths = [len(row.input_ids) for row in done.train]
    session = Session(plan, run_dir, on_event, running, tokens=sum(lengths))
    validation = Validation(done, done.head.shown(done.labels)[0], session)
    session.extra.append((validation.keep, validation.recall))
    rows = [*done.train, blank(done.train[0], done.labels)]
    trainer = encoder_trainer()(
        model=model,
        args=_arguments(plan, run_dir, running),
        train_dataset=[{"row": row} for row in rows],
        data_collator=collator(done.head, done.tokenizer.pad_token_id or 0),
        callbacks=[validation_callback(validation)],
        labels=done.labels,
        weights=done.weights,
        labels_a_step=plan.batch_size * plan.accumulation * carried(done.train) / len(done.train),
        session=session,
        lengths=lengths,
        decay=line,
    )
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        raise UsageError(
            "an encoder's weights cannot be divided among processes (FSDP, DeepSpeed): each holds all of them",
            "use `--processes`, or a file of `accelerate config` without FSDP and DeepSpeed",
        )
    trainer.remove_callback(PrinterCallback)  # our own events say more
    run(trainer, session)
    fitted = session.fitted(
        validation=tuple(validation.points), kept_step=validation.kept_step, stopped_early=validation.stopped
    )
    if trainer.args.should_save:
        model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
        validation.restore(model)
        with storage.replacing(run_dir / "model", then=f"`tunekit-hub resume {run_dir}`") as folder:
            save(plan, model, done.tokenizer, folder)
    return fitted


def _arguments(plan: Plan, run_dir: Path, running: Running) -> Any:
    from transformers import TrainingArguments

    given = TrainingArguments(
        weight_decay=0.01,
        remove_unused_columns=False,  # the collator takes the encoded rows as they are
        **arguments(plan, run_dir, running),
    )
    return one_gpu(given)


ENCODER = Trainer(
    name="encoder",
    kind="encoder",
    methods=("full", "lora"),
    recipe=RECIPE,
    lengths=lengths,
    prepare=prepare,
    fit=_fit,
)
