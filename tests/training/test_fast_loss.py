"""The loss of trained tokens a part at a time: the numbers of cross entropy, and no more logits than needed."""

import pytest
import tiny
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from tunekit_hub.trainers import _answer_loss, _sft_loss

WORDS, WIDTH = 50, 8


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tokens", [0, 1, 3, 7, 9])
def test_loss_and_gradients_are_those_of_cross_entropy(trained, bias, tokens, monkeypatch):
    monkeypatch.setattr(_answer_loss, "PART", 3)
    torch.manual_seed(0)
    head = torch.nn.Linear(WIDTH, WORDS, bias=bias).requires_grad_(trained)
    hidden = torch.randn(tokens, WIDTH, requires_grad=True)
    targets = torch.randint(WORDS, (tokens,))
    wanted = [hidden, *head.parameters()] if trained else [hidden]
    plain = functional.cross_entropy(head(hidden), targets, reduction="sum")
    ours = _answer_loss.answer_loss()(hidden, head.weight, head.bias, targets, torch.float32)
    torch.testing.assert_close(ours, plain)
    for one, other in zip(
        torch.autograd.grad(ours / 5, wanted), torch.autograd.grad(plain / 5, wanted), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_in_half_precision_gradients_have_the_types_of_what_they_belong_to():
    torch.manual_seed(0)
    hidden = torch.randn(9, WIDTH, requires_grad=True)
    weight = torch.randn(WORDS, WIDTH, requires_grad=True)
    targets = torch.randint(WORDS, (9,))
    ours = _answer_loss.answer_loss()(hidden, weight, None, targets, torch.bfloat16)
    plain = functional.cross_entropy(hidden @ weight.T, targets, reduction="sum")
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, plain, atol=0, rtol=1e-2)
    for one, other in zip(
        torch.autograd.grad(ours, (hidden, weight)), torch.autograd.grad(plain, (hidden, weight)), strict=True
    ):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, atol=0.05 * float(other.abs().max()), rtol=0)


def scaled(bound=None):
    """A tiny model whose logits are not what its output layer gives: divided (Granite), or bounded (Gemma 2)."""
    import transformers

    size = {"vocab_size": WORDS, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    size |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "pad_token_id": 0}
    torch.manual_seed(0)
    if bound:
        config = transformers.Gemma2Config(**size, final_logit_softcapping=bound)
        return transformers.Gemma2ForCausalLM(config)
    return transformers.GraniteForCausalLM(transformers.GraniteConfig(**size, logits_scaling=4.0))


def test_parts_are_for_models_whose_logits_are_those_of_their_output_layer(tmp_path):
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(tiny.save_model(tmp_path / "base")).train()
    assert _sft_loss._plain_head(plain)
    assert plain.training
    assert not _sft_loss._plain_head(scaled())
    assert not _sft_loss._plain_head(scaled(bound=2.0))


class Widest(TorchDispatchMode):
    """Rows of the largest tensor made that is a vocabulary wide; turned weights of the model do not count."""

    def __init__(self, model):
        super().__init__()
        self.words, self.rows = model.config.vocab_size, 0
        self.weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        wide = isinstance(out, torch.Tensor) and out.dim() > 1 and out.shape[-1] == self.words
        if wide and out.untyped_storage().data_ptr() not in self.weights:
            self.rows = max(self.rows, out.numel() // self.words)
        return out


def made_trainer(folder, model=None):
    """A trainer of the tiny model, or of `model`, with no rows to speak of."""
    import records as made
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig

    from tunekit_hub.facts import Running
    from tunekit_hub.trainers._lasting import line
    from tunekit_hub.trainers._session import Session

    base = tiny.save_model(folder / "base")
    plan = made.make_plan(made.make_selection())
    return _sft_loss.answer_loss_trainer()(
        model=model or AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
        args=SFTConfig(
            output_dir=str(folder / "out"),
            use_cpu=True,
            bf16=False,
            report_to="none",
            activation_checkpointing=False,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list([{"input_ids": [1, 2], "labels": [1, 2]}]),
        processing_class=tiny.tokenizer(),
        session=Session(plan, folder, lambda _: None, Running(), tokens=2),
        lengths=[2],
        decay=line,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "scaled", "bounded"])
def test_a_batch_has_the_loss_and_gradients_of_all_its_logits(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(_answer_loss, "PART", 5)
    model = {"plain": None, "scaled": scaled(), "bounded": scaled(bound=2.0)}[kind]
    trainer = made_trainer(tmp_path, model)
    model = trainer.model.eval()
    words = model.config.vocab_size
    torch.manual_seed(1)
    ids = torch.randint(3, words, (3, 12))
    labels = ids.clone()
    labels[0, :9], labels[1, 3:7], labels[2, 6:], ids[2, 6:] = -100, -100, -100, 0
    plain = model(input_ids=ids).logits
    wanted = functional.cross_entropy(plain[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    number = int((labels[:, 1:] != -100).sum())
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    expected = torch.autograd.grad(wanted * number, weights)
    with Widest(model) as watch:
        loss = trainer.compute_loss(model, {"input_ids": ids, "labels": labels}, num_items_in_batch=number)
    found = torch.autograd.grad(loss * number, weights)
    torch.testing.assert_close(loss.detach(), wanted.detach())
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert watch.rows == (5 if kind == "plain" else number)
