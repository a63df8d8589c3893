"""Instruction tuning with TRL's SFTTrainer: LoRA, QLoRA or full, loss on the answers only.

The rows arrive with ids and labels, so that what the supervision proof counted is what is trained; TRL would cut
and drop rows without a word. Speed comes from its own seams: the loss, the sampler, the schedule.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunekit_hub import supervision
from tunekit_hub.records import Plan, Supervision
from tunekit_hub.trainers import Fitted, OnEvent, Trainer
from tunekit_hub.trainers._progress import progress_callback
from tunekit_hub.trainers._sft_loss import answer_loss_trainer

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}


def _prepare(plan: Plan, base: Path, chats: Sequence[supervision.Turns]) -> tuple[Any, Supervision, str]:
    """Encoded rows, the record of what carries loss, and one rendered row."""
    tokenizer = supervision.load_tokenizer(base)
    done = supervision.supervise(tokenizer, chats, plan.max_tokens)
    record = supervision.summary(done)
    supervision.prove(record)
    return done, record, supervision.proof(tokenizer, done)


def _fit(plan: Plan, base: Path, done: supervision.Supervised, run_dir: Path, on_event: OnEvent) -> Fitted:
    from datasets import Dataset
    from transformers import PrinterCallback, set_seed

    set_seed(plan.seed)
    rows = [{"input_ids": row.input_ids, "labels": row.labels} for row in done.rows]
    progress = progress_callback(plan, on_event, tokens=sum(len(row.input_ids) for row in done.rows))
    trainer = answer_loss_trainer()(
        model=str(base),
        args=_arguments(plan, run_dir),
        train_dataset=Dataset.from_list(rows),
        processing_class=supervision.load_tokenizer(base),
        quantization_config=_quantization(plan),
        peft_config=_lora(plan),
        callbacks=[progress],
        time_limit=plan.time_limit,
    )
    trainer.remove_callback(PrinterCallback)  # our own events say more
    began = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - began
    _save(plan, trainer, base, run_dir / "model")
    return progress.fitted(seconds)


def _arguments(plan: Plan, run_dir: Path) -> Any:
    from trl import SFTConfig

    device = plan.selection.request.hardware.device
    # What is trained in full is held in float32; a frozen base can be as small as the hardware's units take it.
    dtype = "float32" if plan.method == "full" else DTYPES[plan.precision]
    return SFTConfig(
        output_dir=str(run_dir / "checkpoints"),
        model_init_kwargs={"dtype": dtype},
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        per_device_train_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.accumulation,
        num_train_epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        warmup_steps=plan.warmup,
        lr_scheduler_type="cosine",
        train_sampling_strategy="group_by_length",
        activation_checkpointing=plan.checkpointing,
        bf16=plan.precision == "bf16",
        fp16=plan.precision == "fp16",
        use_cpu=device == "cpu",
        optim="adamw_torch",
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would show the last good loss instead of a ruined one
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=plan.seed,
    )


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

    compute = "bfloat16" if plan.precision == "bf16" else "float16"
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def _save(plan: Plan, trainer: Any, base: Path, folder: Path) -> None:
    """Weights and the model's own tokenizer and template; the adapter names the canonical base, not a path."""
    trainer.model.save_pretrained(folder)
    supervision.load_tokenizer(base, padding=False).save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # peft's own card: ours is written at publishing
    config = folder / "adapter_config.json"
    if config.exists():
        named = json.loads(config.read_text())
        named.update(base_model_name_or_path=plan.selection.repo_id, revision=plan.selection.revision)
        config.write_text(json.dumps(named, indent=2, sort_keys=True) + "\n")


SFT = Trainer(name="sft", methods=("lora", "qlora", "full"), prepare=_prepare, fit=_fit)
