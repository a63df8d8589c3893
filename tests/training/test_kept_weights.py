"""Which weights an encoder's training keeps, by what the passes scored on the validation rows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tunekit_hub.trainers import _encoder_validation as validation


@pytest.mark.parametrize(
    ("scores", "passes", "kept"),
    [
        pytest.param((0.5, 0.9, 0.95), 3, 3, id="the last is the best"),
        pytest.param((0.5, 0.9, 0.89), 3, 3, id="the last, which 100 rows cannot tell from the best"),
        pytest.param((0.5, 0.9, 0.86), 3, 2, id="the best, which is better than the last beyond that"),
        pytest.param((0.5, 0.9, 0.89), 9, 2, id="the best, before the end of the schedule"),
    ],
)
def test_the_last_of_a_whole_schedule_is_kept_unless_the_rows_say_that_another_is_better(
    scores, passes, kept, monkeypatch
):
    coming = iter(scores)
    monkeypatch.setattr(validation, "validate", lambda *_: (1.0, next(coming)))
    monkeypatch.setattr(validation, "trained", lambda model: {"weights": model})
    session = SimpleNamespace(
        broken_off="",
        plan=SimpleNamespace(precision="fp32", patience=4),
        tell=lambda event: None,
        agree=lambda *values: values,
    )
    judged = validation.Validation(SimpleNamespace(validation=[None] * 100), "accuracy", session)
    for n in range(1, len(scores) + 1):
        judged.after_pass(f"after pass {n}", n * 10, passes * 10, float(n))
    assert (judged.kept_step, judged.kept) == (kept * 10, {"weights": f"after pass {kept}"})
