"""Instruction tuning with TRL's SFTTrainer: LoRA, QLoRA or full, loss on the answers only.

The rows arrive with ids and labels, so that what the supervision proof counted is what is trained; TRL would cut
and drop rows without a word. Speed comes from its own seams: the loss, the sampler, the schedule.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunekit_hub import storage, supervision
from tunekit_hub.dtypes import DTYPES
from tunekit_hub.facts import Running
from tunekit_hub.records import Lengths, Plan, Profile, Supervision
from tunekit_hub.supervision import chat_templates
from tunekit_hub.trainers import Fitted, OnEvent, Recipe, Trainer, _imports
from tunekit_hub.trainers._lasting import arguments, cosine, one_gpu, run, whole_weights
from tunekit_hub.trainers._session import Session
from tunekit_hub.trainers._sft_loss import answer_loss_trainer

if TYPE_CHECKING:
    from tunekit_hub.splits import Split


RECIPE = Recipe(
    full_rates=((float("inf"), 2e-5),),
    # LoRA takes about ten times the rate of full fine-tuning (Schulman et al., "LoRA Without Regret", 2025), and
    # small models take more than large ones. The first is measured, see docs/planning.md.
    lora_rates=((500e6, 1e-3), (3e9, 5e-4), (float("inf"), 2e-4)),
    epochs=((float("inf"), 3.0),),
    epochs_reason="small data gains up to about three passes; more would repeat it by heart",
    step_rows=((500, 4), (2000, 8), (float("inf"), 16)),  # few rows need small steps to get enough of them
    batches=(8, 4, 2, 1),
    cpu_batch=4,
)


def _lengths(folder: Path, _: Profile, chats: Sequence[supervision.Turns], limit: int) -> Lengths:
    done = supervision.supervise(supervision.load_tokenizer(folder), chats, limit)
    return supervision.lengths(done.lengths)


def _prepare(
    plan: Plan, base: Path, rows: Split, max_dropped: float = supervision.MAX_DROPPED
) -> tuple[Any, Supervision, str]:
    """Encoded rows, the record of what carries loss, and one rendered row."""
    tokenizer = supervision.load_tokenizer(base)
    done = supervision.supervise(tokenizer, rows.train, plan.max_tokens, chat_templates.stops(tokenizer, base))
    record = supervision.summary(done)
    supervision.prove(record, max_dropped)
    return done, record, supervision.proof(tokenizer, done)


def _fit(
    plan: Plan,
    base: Path,
    done: supervision.Supervised,
    run_dir: Path,
    on_event: OnEvent,
    running: Running = Running(),  # noqa: B008 - frozen
) -> Fitted:
    _imports.adapters(plan.method)
    from datasets import Dataset
    from transformers import PrinterCallback, set_seed

    set_seed(plan.seed)
    tokenizer = supervision.load_tokenizer(base)
    lengths = [len(row.input_ids) for row in done.rows]
    session = Session(plan, run_dir, on_event, running, tokens=sum(lengths))
    rows = [{"input_ids": row.input_ids, "labels": row.labels} for row in done.rows]
    blank = {"input_ids": [tokenizer.pad_token_id] * 2, "labels": [supervision.IGNORED] * 2}
    trainer = answer_loss_trainer()(
        model=str(base),
        args=_arguments(plan, run_dir, running),
        train_dataset=Dataset.from_list([*rows, blank]),
        processing_class=tokenizer,
        quantization_config=_quantization(plan),
        peft_config=_lora(plan),
        session=session,
        lengths=lengths,
        decay=cosine,
    )
    trainer.remove_callback(PrinterCallback)  # our own events say more
    run(trainer, session)
    fitted = session.fitted()
    _save(plan, trainer, base, run_dir)
    return fitted


def _arguments(plan: Plan, run_dir: Path, running: Running) -> Any:
    from trl import SFTConfig

    # What is trained in full is held in float32; a frozen base can be as small as the hardware's units take it.
    dtype = "float32" if plan.method == "full" else DTYPES[plan.precision]
    given = SFTConfig(
        model_init_kwargs={"dtype": dtype},
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        **arguments(plan, run_dir, running),
    )
    return one_gpu(given)


def _lora(plan: Plan) -> Any:
    if plan.lora_rank is None or plan.lora_alpha is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=plan.lora_rank, lora_alpha=plan.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def _quantization(plan: Plan) -> Any:
    if plan.method != "qlora":
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=DTYPES[plan.precision],
    )


def _save(plan: Plan, trainer: Any, base: Path, run_dir: Path) -> None:
    """Weights and the model's own tokenizer and template; the adapter names the canonical base, not a path."""
    weights = whole_weights(trainer)
    if not trainer.args.should_save:
        return
    with storage.replacing(run_dir / "model", then=f"`tunekit-hub resume {run_dir}`") as folder:
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(folder, state_dict=weights)
        supervision.load_tokenizer(base, padding=False).save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)  # peft's own card: ours is written at publishing
        config = folder / "adapter_config.json"
        if config.exists():
            named = json.loads(config.read_text())
            named.update(base_model_name_or_path=plan.selection.repo_id, revision=plan.selection.revision)
            config.write_text(json.dumps(named, indent=2, sort_keys=True) + "\n")


SFT = Trainer(
    name="sft",
    kind="decoder",
    methods=("lora", "qlora", "full"),
    recipe=RECIPE,
    lengths=_lengths,
    prepare=_prepare,
    fit=_fit,
)
