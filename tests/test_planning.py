"""Every setting has a reason, fits the machine and the time, and can be overridden."""

from __future__ import annotations

import json

import pytest
import records as made
import tiny

from tunekit_hub import planning, profiling
from tunekit_hub.errors import PlanError
from tunekit_hub.facts import Gpu

CPU = made.make_hardware(bf16=False, gflops=90.0)
A100 = made.make_hardware(
    device="cuda",
    name="A100",
    memory=80 * 10**9,
    gpus=(Gpu(name="A100", memory=80 * 10**9, bf16=True),),
    gflops=130e3,
)


@pytest.fixture
def hub(tmp_path):
    return tiny.FolderHub(tiny.save_model(tmp_path / "base"))


@pytest.fixture
def selection(tmp_path):
    data = tmp_path / "chats.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in tiny.chats(60)))
    profile = profiling.profile(data)

    def make(**request):
        wishes = {"hardware": CPU, "rows": 60, "tokens": profile.tokens.total, "max_time": None} | request
        return made.make_selection(
            made.make_recommendation(profile),
            request=made.make_request(**wishes),
            architecture=made.make_architecture(),
        )

    return make


def test_every_setting_has_a_reason(selection, hub):
    plan = planning.plan(selection(), hub=hub)
    assert set(planning.SETTABLE) | {"method", "precision", "checkpointing"} <= set(plan.reasons)
    assert all(plan.reasons.values())


def test_the_rows_are_counted_by_the_models_own_tokenizer(selection, hub):
    plan = planning.plan(selection(), hub=hub)
    assert not plan.tokens.estimated
    assert plan.max_tokens >= plan.tokens.max
    assert (plan.train_rows, plan.eval_rows) == (51, 9)


def test_precision_follows_what_the_hardware_really_has(selection, hub):
    old = A100.but(bf16=False)
    assert planning.plan(selection(), hub=hub).precision == "fp32"
    assert planning.plan(selection(hardware=A100), hub=hub).precision == "bf16"
    assert planning.plan(selection(hardware=old), hub=hub).precision == "fp16"


def test_little_memory_makes_batches_smaller_before_activations_are_computed_twice(selection, hub):
    roomy = planning.plan(selection(), hub=hub)
    less = planning.plan(selection(hardware=CPU.but(memory=23 * 10**8)), hub=hub)
    least = planning.plan(selection(hardware=CPU.but(memory=18 * 10**8)), hub=hub)
    assert (roomy.batch_size, roomy.checkpointing) == (4, False)
    assert (less.batch_size < 4, less.checkpointing) == (True, False)
    assert less.batch_size * less.accumulation == roomy.batch_size * roomy.accumulation
    assert least.checkpointing
    with pytest.raises(PlanError, match="even one row"):
        planning.plan(selection(hardware=CPU.but(memory=10**9)), hub=hub)


def test_a_time_budget_cuts_the_passes_and_limits_the_training(selection, hub):
    free = planning.plan(selection(), hub=hub)
    slow = CPU.but(gflops=CPU.gflops / 40)
    bound = planning.plan(selection(hardware=slow, max_time=600.0), hub=hub)
    assert (free.epochs, free.time_limit) == (3.0, None)
    assert 1.0 <= bound.epochs < 3.0
    assert bound.time_limit == 240.0


def test_what_the_user_sets_is_kept_and_marked(selection, hub):
    plan = planning.plan(selection(), hub=hub, learning_rate=1e-5, epochs=2)
    assert (plan.learning_rate, plan.epochs) == (1e-5, 2)
    assert plan.reasons["learning_rate"].startswith("set by you; would have been")


@pytest.mark.parametrize(
    "wrong",
    [{"learnin_rate": 1e-4}, {"epochs": 0}, {"max_tokens": "many"}, {"epochs": float("nan")}, {"batch_size": 1.5}],
)
def test_a_setting_that_cannot_be_is_refused(selection, hub, wrong):
    with pytest.raises(PlanError, match=next(iter(wrong))):
        planning.plan(selection(), hub=hub, **wrong)


def test_the_same_seed_plans_the_same(selection, hub):
    assert planning.plan(selection(), hub=hub, seed=7) == planning.plan(selection(), hub=hub, seed=7)
