"""What makes a transformers Trainer last: its own order of rows, checkpoints that are whole or not there, a
schedule that knows the time used before a stop, and batches that are taken in pieces once they do not fit.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import math
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunekit_hub import storage
from tunekit_hub.facts import Running
from tunekit_hub.hardware import peak
from tunekit_hub.records import Plan
from tunekit_hub.trainers import _checkpoints
from tunekit_hub.trainers._adapters import in_one_piece
from tunekit_hub.trainers._callback import callback
from tunekit_hub.trainers._order import Batches, shared
from tunekit_hub.trainers._pieces import pieces, rows
from tunekit_hub.trainers._session import Session, out_of_memory

Base: Any = Any if TYPE_CHECKING else object  # a Trainer, which is not imported here
Decay = Callable[[float], float]  # share of the steps done → share of the learning rate


class Lasting(Base):
    """Stands before a class of Trainer among the bases of one.

    `lengths` are the tokens of the rows in its `train_dataset`, behind which stands one more that carries no loss.
    `decay` is what the learning rate follows after the warm-up.
    """

    def __init__(self, *args: Any, session: Session, lengths: Sequence[int], decay: Decay, **kwargs: Any):
        self.session, self._lengths, self._decay = session, lengths, decay
        self._step_batches: list[Any] = []
        self._at = 0
        super().__init__(*args, **kwargs)
        self.add_callback(callback(session))

    def get_train_dataloader(self) -> Any:
        """The rows in our order, those of this process."""
        import torch
        from torch.utils.data import DataLoader

        plan = self.session.plan
        self._batches = Batches(
            self._lengths,
            step_rows=plan.batch_size * plan.accumulation,
            batch=self.args.per_device_train_batch_size,
            seed=plan.seed,
            process=self.args.process_index,
            processes=self.args.world_size,
        )
        # A generator of its own: the loader would take a number from the global one each pass.
        return DataLoader(
            self.train_dataset,
            batch_sampler=self._batches,
            collate_fn=self.data_collator,
            generator=torch.Generator(),
            pin_memory=self.args.device.type == "cuda",
        )

    def _run_epoch(self, *args: Any, epoch: int, **kwargs: Any) -> None:
        if self.session.finished or self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
            return
        self._batches.set_epoch(epoch)
        super()._run_epoch(*args, epoch=epoch, **kwargs)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Warm-up, then `decay` up to the last step or the time limit, whichever is nearer."""
        import torch

        if self.lr_scheduler is None:
            optimizer: Any = optimizer or self.optimizer
            warmup = self.args.get_warmup_steps(num_training_steps)
            factor = functools.partial(self._factor, warmup, num_training_steps)
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def _factor(self, warmup: int, steps: int, step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(steps - warmup, 1)
        limit = self.session.plan.time_limit
        if limit:
            done = max(done, self.session.now / limit)
        return self._decay(min(done, 1.0))

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """The batches of a step, and of how many tokens or labels its loss is the mean."""
        self._step_batches, items = found = super().get_batch_samples(*args, **kwargs)
        self.session.items, self._at = (1 if items is None else items), 0
        return found

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """One batch; where memory ends, the step's batches up to this one again, in smaller pieces."""
        import torch

        self._at += 1
        batches = [inputs]
        while (loss := self._fits(model, batches, num_items_in_batch)) is None:
            self.session.halve(rows(inputs))
            model.zero_grad()
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            batches = self._step_batches[: self._at]
        return loss

    def _fits(self, model: Any, batches: Sequence[Any], items: Any) -> Any:
        """The loss of the last of `batches`; None if memory ended."""
        loss = None
        try:
            for batch in batches:
                parts = pieces(batch, self.session.pieces)
                loss = sum(super(Lasting, self).training_step(model, part, items) for part in parts)
        except (RuntimeError, MemoryError) as error:
            if not memory_ended(error) or self.args.world_size > 1 or items is None:
                raise
            return None
        return loss

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: ours is written when it is published."""

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        run_dir = self.session.run_dir
        then = f"`tunekit-hub resume {run_dir}`"
        if self.args.should_save:
            _checkpoints.give_up(run_dir)
        self.accelerator.wait_for_everyone()
        try:
            with storage.writing(run_dir, then):
                super()._save_checkpoint(model, trial)
                self.accelerator.wait_for_everyone()
                if self.args.should_save:
                    self.session.save()
        except BaseException:
            _checkpoints.give_up(run_dir)
            raise
        self.session.saved()
        self.accelerator.wait_for_everyone()


def run(trainer: Any, session: Session) -> None:
    """Train to the end, from the newest checkpoint if there is one.

    Raises:
        KeyboardInterrupt, SystemExit: it was stopped, and a checkpoint is written.
        TrainingFailed: nothing was learned, or the memory is too small for one row.
        StorageError: a checkpoint could not be written.
    """
    found = session.begin()
    peak.restart()  # pages of the weights' file count as resident until it is closed, and are given back on demand
    divided = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled  # weights are whole only where these see it
    with session.stop.listening(), nullcontext() if divided else in_one_piece(trainer.model):
        try:
            trainer.train(resume_from_checkpoint=found)
        except (RuntimeError, MemoryError) as error:
            if not memory_ended(error) or trainer.args.world_size > 1:
                raise  # of several processes, who started them takes smaller batches in all of them
            raise out_of_memory(session.plan, session.plan.batch_size) from error
    if trainer.args.should_save:
        _checkpoints.give_up(session.run_dir)  # the Trainer's empty folder, where nothing was saved
    session.end()


def arguments(plan: Plan, run_dir: Path, running: Running) -> dict[str, Any]:
    """TrainingArguments that both trainers have. Reports go where they were asked to, and nowhere else."""
    from transformers import TrainingArguments

    batch, accumulation = shared(plan.batch_size * plan.accumulation, plan.batch_size, running.processes)
    given: dict[str, Any] = {
        "output_dir": str(run_dir / _checkpoints.FOLDER / _checkpoints.WRITING),
        "per_device_train_batch_size": batch,
        "gradient_accumulation_steps": accumulation,
        "num_train_epochs": plan.epochs,
        "learning_rate": plan.learning_rate,
        "warmup_steps": plan.warmup,
        "activation_checkpointing": plan.checkpointing,
        "bf16": plan.precision == "bf16",
        "fp16": plan.precision == "fp16",
        "use_cpu": plan.selection.request.hardware.device == "cpu",
        "optim": "adamw_torch_fused",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would show the last good loss instead of a ruined one
        "save_strategy": "no",  # the session says when
        "report_to": running.report_to or "none",
        "run_name": run_dir.resolve().name,
        "disable_tqdm": True,
        "seed": plan.seed,
    }
    if running.report_to == "tensorboard":
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(run_dir / "tensorboard"))
    known = {field.name for field in dataclasses.fields(TrainingArguments)}
    if running.report_to == "trackio" and "trackio_static_space_id" in known:
        given |= {"project": "tunekit-hub", "trackio_static_space_id": False}  # no Space that nobody asked for
    return given


def one_gpu(given: Any) -> Any:
    """TrainingArguments for one GPU a process; with several in sight the Trainer would divide each batch."""
    if given.n_gpu > 1:
        given._n_gpu = 1
    return given


def whole_weights(trainer: Any) -> dict[str, Any] | None:
    """The weights gathered from all processes, where they are divided among them; all processes have to ask."""
    if not (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
        return None
    return trainer.accelerator.get_state_dict(trainer.model_wrapped)


def memory_ended(error: BaseException) -> bool:
    """Whether an allocation failed, on whatever device."""
    said = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or "out of memory" in said
        or ("defaultcpuallocator" in said and "memory" in said)
    )


def cosine(done: float) -> float:
    """Half a cosine from 1 to 0."""
    return 0.5 * (1 + math.cos(math.pi * done))


def line(done: float) -> float:
    """From 1 to 0 at an even pace."""
    return 1.0 - done
