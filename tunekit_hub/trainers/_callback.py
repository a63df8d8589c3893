"""Hands what happens in transformers' loop to the session, and its decisions back.

A function makes the callback, so that importing this module does not import transformers.
"""

from __future__ import annotations

import functools
from typing import Any

from tunekit_hub.trainers._session import Session


def callback(session: Session) -> Any:
    """A transformers callback that hands everything to `session`. It has to come after all others."""
    from transformers import TrainerCallback

    class Told(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if args.world_size > 1:
                session.agree = functools.partial(_as_the_first, args.device)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            save, end = session.after_step(state.global_step, state.max_steps, float(state.epoch))
            control.should_save |= save
            control.should_training_stop |= end

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_save |= session.after_pass(state.max_steps, control.should_training_stop)
            control.should_training_stop |= session.stopping  # the signal came while the pass was judged

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                session.logged(state.global_step, state.max_steps, float(state.epoch), logs)

    return Told()


def _as_the_first(device: Any, *mine: float) -> tuple[float, ...]:
    """What the first of several processes says."""
    import torch

    told = torch.tensor(mine, dtype=torch.float64, device=device)
    torch.distributed.broadcast(told, src=0)
    return tuple(told.tolist())
