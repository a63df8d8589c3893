"""Every setting has a reason, fits the machine and the time, and can be overridden."""

from __future__ import annotations

import json

import pytest
import records as made
import tiny

from tunekit_hub import planning, profiling, settings
from tunekit_hub.errors import PlanError
from tunekit_hub.facts import Gpu
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.records import Lengths
from tunekit_hub.trainers import TRAINERS

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
    of_encoders = {"patience", "class_weights"}
    assert set(settings.SETTABLE) - of_encoders | {"method", "precision", "checkpointing"} <= set(plan.reasons)
    assert all(plan.reasons.values())


def test_the_rows_are_counted_by_the_models_own_tokenizer(selection, hub):
    plan = planning.plan(selection(), hub=hub)
    assert not plan.tokens.estimated
    assert plan.max_tokens >= plan.tokens.max
    assert (plan.train_rows, plan.eval_rows) == (51, 9)


@pytest.mark.parametrize(
    ("p95", "longest", "cut_at", "said"),
    [
        (63, 165, 192, "none is cut"),  # short rows: cutting them saves next to nothing
        (400, 700, 704, "none is cut"),
        (400, 3000, 448, "longer ones are cut"),
        (900, 1500, 1024, "reads no more"),
    ],
)
def test_rows_are_cut_only_where_it_saves_much(p95, longest, cut_at, said):
    draft = settings.Draft({}, {})
    lengths = Lengths(p50=30, p95=p95, max=longest, total=10_000, estimated=False)
    planning._set_length(draft, lengths, made.make_architecture(context=1024))
    assert draft.values["max_tokens"] == cut_at
    assert said in draft.reasons["max_tokens"]


def test_precision_follows_what_the_hardware_really_has(selection, hub):
    old = A100.but(bf16=False)
    assert planning.plan(selection(), hub=hub).precision == "fp32"
    assert planning.plan(selection(hardware=A100), hub=hub).precision == "bf16"
    assert planning.plan(selection(hardware=old), hub=hub).precision == "fp16"


def test_little_memory_makes_batches_smaller_before_activations_are_computed_twice(selection, hub):
    roomy = planning.plan(selection(), hub=hub)
    less = planning.plan(selection(hardware=CPU.but(memory=24 * 10**8)), hub=hub)
    least = planning.plan(selection(hardware=CPU.but(memory=195 * 10**7)), hub=hub)
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


@pytest.mark.parametrize(
    ("task", "rows", "passes"),
    [("classification", 400, 15), ("ner", 400, 15), ("classification", 5000, 5), ("ner", 5000, 4)],
)
def test_large_tagged_data_take_fewer_passes(task, rows, passes):
    assert planning.passes(task, TRAINERS["encoder"].recipe, rows) == passes


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


def test_the_answer_is_fits_tight_or_no(selection, hub):
    """On this machine "no" is an error, as nothing can be trained; for one that was only named, an answer."""
    roomy = planning.plan(selection(), hub=hub)
    assert (roomy.fit, roomy.advice) == ("fits", "")
    smallest = planning.plan(selection(hardware=CPU.but(memory=195 * 10**7)), hub=hub).memory.total
    tight = planning.plan(selection(hardware=CPU.but(memory=int(smallest / 0.9))), hub=hub)
    assert tight.fit == "tight"
    assert tight.advice
    small = CPU.but(memory=10**9, asked_as="a small one")
    no = planning.plan(selection(hardware=small), hub=hub)
    assert no.fit == "no"
    assert "--hardware" in no.advice
    with pytest.raises(PlanError) as refused:
        planning.plan(selection(hardware=small.but(asked_as=None)), hub=hub)
    assert refused.value.hint == no.advice


def test_a_rented_machine_has_a_cost(selection, hub):
    t4 = named_hardware.named("t4-small")
    plan = planning.plan(selection(hardware=t4), hub=hub)
    assert plan.cost == pytest.approx(plan.seconds / 3600 * 0.40)
    assert plan.precision == "fp16"
    assert planning.plan(selection(), hub=hub).cost is None


def test_using_the_model_is_part_of_the_plan(selection, hub):
    plan = planning.plan(selection(), hub=hub)
    assert plan.inference_memory > plan.selection.architecture.parameters * 2
    assert 0 < plan.inference_seconds < 60


def test_a_higher_rank_needs_more_memory(selection, hub):
    usual, high = planning.plan(selection(), hub=hub), planning.plan(selection(), hub=hub, lora_rank=64)
    assert high.memory.optimizer == 4 * usual.memory.optimizer


@pytest.mark.parametrize("setting", [{"patience": 3}, {"class_weights": 1}])
def test_a_setting_that_would_have_no_effect_is_refused(selection, hub, setting):
    with pytest.raises(PlanError, match="has no effect here"):
        planning.plan(selection(), hub=hub, **setting)


def test_rank_has_no_effect_on_full_training(selection, hub):
    with pytest.raises(PlanError, match="`lora_rank` has no effect here: all weights are trained"):
        planning.plan(selection().but(method="full"), hub=hub, lora_rank=8)
