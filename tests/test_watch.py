"""A training that trains nothing is stopped, and a short or hard one is not."""

import pytest
import records as made

from tunekit_hub.errors import TrainingFailed
from tunekit_hub.trainers._watch import Watch


def watch(losses, norms=None, items=100.0, steps_a_pass=10, precision="bf16"):
    looking = Watch(made.make_plan(precision=precision))
    for number, loss in enumerate(losses, 1):
        norm = 1.0 if norms is None else norms[number - 1]
        looking.step(number, loss, norm, items, number / steps_a_pass)
    looking.end(len(losses), losses[-1])
    return looking


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number(loss):
    with pytest.raises(TrainingFailed, match="at step 3, so the weights are ruined"):
        watch([2.0, 1.9, loss])


@pytest.mark.parametrize("norm", [float("nan"), float("inf")])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_gradient_that_is_no_number_though_the_loss_is(norm, precision):
    """Also in the last step of all, after which no loss would show it and the model would be saved."""
    with pytest.raises(TrainingFailed, match=r"the gradient is (nan|inf) at step 3, so the weights are ruined"):
        watch([2.0, 1.9, 1.8], norms=[1.0, 1.0, norm], precision=precision)


def test_a_step_that_fp16s_scaler_skips_is_no_fault():
    seen = watch([2.0, 1.9, 1.8], norms=[float("inf"), 1.0, 1.0], precision="fp16")
    assert seen.skipped == 0
    # A step a pass: the first one was skipped, so the second pass has the loss of the first.
    watch([2.0, 2.0, 1.9], norms=[float("inf"), 1.0, 1.0], steps_a_pass=1, precision="fp16")


@pytest.mark.parametrize("steps", [1, 3, 40])
def test_fp16_steps_that_are_all_skipped(steps):
    with pytest.raises(TrainingFailed, match="too large for fp16"):
        watch([2.0 + n % 3 for n in range(steps)], norms=[float("inf")] * steps, precision="fp16")


@pytest.mark.parametrize("steps", [1, 4, 12])
def test_gradients_of_zero(steps):
    with pytest.raises(TrainingFailed, match="nothing is being trained"):
        watch([2.0 + n % 3 for n in range(steps)], norms=[0.0] * steps)


def test_the_same_loss_in_each_step():
    with pytest.raises(TrainingFailed, match=r"the loss never moved: 2\.0000 in each of the first 25 steps"):
        watch([2.0] * 30, steps_a_pass=100)


def test_the_same_loss_in_both_passes():
    a_pass = [2.0, 1.0, 3.0, 2.5, 1.5]
    with pytest.raises(TrainingFailed, match="over the first pass and over the second"):
        watch(a_pass + a_pass[::-1], steps_a_pass=5)


@pytest.mark.parametrize(
    ("losses", "norms"),
    [
        ([2.0], None),  # a single step
        ([2.0] * 8, None),  # few
        ([2.0 - n / 1000 for n in range(60)], None),  # slow
        ([1e-4] * 60, [0.0] * 60),  # learned by heart
        ([2.0, 1.0, 0.5, 0.4], [1.0, 0.0, 0.0, 1.0]),  # two batches without a gradient
        ([2.0, 1.0, 3.0, 1.999, 1.0, 3.0], None),
    ],
)
def test_no_false_alarm(losses, norms):
    seen = watch(losses, norms, steps_a_pass=3 if len(losses) == 6 else 40)
    assert seen.dead == 0


def test_what_was_seen_is_kept_over_a_stop():
    before = Watch(made.make_plan())
    for number in range(1, 4):
        before.step(number, 2.0 + number, 0.0, 100.0, number / 10)
    after = Watch(made.make_plan())
    after.recall(before.state())
    after.step(4, 6.5, 0.0, 100.0, 0.4)
    with pytest.raises(TrainingFailed, match="for 5 steps"):
        after.step(5, 7.0, 0.0, 100.0, 0.5)
