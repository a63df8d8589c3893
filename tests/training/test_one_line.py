"""Rows of a batch in one line: the numbers of each row alone, or the padding stays."""

import functools

import pytest
import tiny
import torch
import transformers
from torch.nn import functional

import tunekit_hub as tk
from tunekit_hub import splits, supervision
from tunekit_hub.trainers._one_line import each_row_alone, one_line

SIZE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WINDOW = 8


def model(name, **more):
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**SIZE | more)
    return getattr(transformers, f"{name}ForCausalLM")(config)


ABLE = {
    "Llama": lambda: model("Llama"),
    "Mistral, a wide window": lambda: model("Mistral", sliding_window=WINDOW),
    "Qwen2": lambda: model("Qwen2"),
    "Qwen3": lambda: model("Qwen3", head_dim=8),
    "Gemma": lambda: model("Gemma", head_dim=8),
    "Gemma3, a wide window": lambda: transformers.Gemma3ForCausalLM(
        transformers.Gemma3TextConfig(**SIZE, head_dim=8, sliding_window=WINDOW)
    ),
    "Phi3": lambda: model("Phi3"),
    "Granite": lambda: model("Granite"),
    "Mixtral": lambda: model("Mixtral", num_local_experts=3),
    "GPT-2, learned positions": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2)
    ),
}


BEGIN = 3  # tokens of a prompt that all rows have


def batch(begin):
    """Rows of 5, 8, 4 and 7 tokens of which some are trained; with `begin`, all start with the same ones."""
    torch.manual_seed(1)
    sizes = torch.tensor([5, WINDOW, 4, 7])
    ids = torch.randint(3, 64, (4, WINDOW))
    mask = (torch.arange(WINDOW)[None] < sizes[:, None]).long()
    labels = torch.where(mask.bool() & (torch.rand(ids.shape) < 0.8), ids, -100)
    if begin:
        ids[:, :BEGIN], labels[:, : BEGIN + 1] = ids[:1, :BEGIN], -100
    return {"input_ids": ids * mask, "attention_mask": mask, "labels": labels}


def row_by_row(model, rows):
    """The summed loss of each row alone, with every logit."""
    total = 0
    for ids, mask, labels in zip(rows["input_ids"], rows["attention_mask"], rows["labels"], strict=True):
        long = int(mask.sum())
        logits = model(input_ids=ids[None, :long]).logits[0]
        total = total + functional.cross_entropy(logits[:-1], labels[1:long], reduction="sum")
    return total


def in_line(model, rows):
    line = one_line(rows)
    assert line["input_ids"].shape == line["labels"].shape == (1, line["shared"] + sum(line["row_sizes"]))
    labels = line.pop("labels")[0]
    logits = model(**line, use_cache=False).logits[0]
    return functional.cross_entropy(logits[:-1], labels[1:], reduction="sum")


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("begin", [False, True])
@pytest.mark.parametrize("name", ABLE)
def test_loss_and_gradients_are_those_of_each_row_alone(name, begin, checkpointing):
    made = ABLE[name]()
    assert made.training
    for module in made.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    if checkpointing:
        made.activation_checkpointing_enable()
    weights = list(made.parameters())
    rows = batch(begin)
    wanted = row_by_row(made, rows)
    expected = torch.autograd.grad(wanted, weights, allow_unused=True)
    with each_row_alone(made, WINDOW) as able:
        assert able
        assert made.training
        assert one_line(rows)["shared"] == (BEGIN if begin else 0)
        assert "tunekit" not in made.config.to_json_string()  # as a checkpoint would hold it
        found = in_line(made, rows)
        gradients = torch.autograd.grad(found, weights, allow_unused=True)
    torch.testing.assert_close(found, wanted)
    for one, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-4)
    assert made.config._attn_implementation == "sdpa"


def mixes():
    """A model that carries something from token to token besides attention."""
    types = ["conv", "full_attention"]
    return model("Lfm2", layer_types=types, block_multiple_of=8, block_auto_adjust_ff_dim=False)


def deaf():
    """A model that keeps the lengths of the rows to itself."""
    made = model("Llama")
    inner = made.model.forward
    made.model.forward = lambda *args, row_sizes=None, **kwargs: inner(*args, **kwargs)
    return made


UNABLE = {
    "rows longer than the window": lambda: model("Mistral", sliding_window=WINDOW - 1),
    "tokens mixed by a convolution": mixes,
    "an attention of its own": lambda: model("Gemma2", head_dim=8, attn_implementation="eager"),
    "lengths that do not arrive": deaf,
    "no such forward": lambda: transformers.BloomForCausalLM(
        transformers.BloomConfig(vocab_size=64, hidden_size=32, n_layer=1, n_head=4)
    ),
}


@pytest.mark.parametrize("name", UNABLE)
def test_what_does_not_keep_rows_apart_gets_padding(name):
    made = UNABLE[name]()
    before = made.config._attn_implementation
    with each_row_alone(made, WINDOW) as able:
        assert not able
        assert made.config._attn_implementation == before
        assert made.training


@pytest.mark.parametrize(
    ("ids", "labels", "sizes", "shared"),
    [
        (
            [[5, 6, 7, 8], [5, 6, 7, 9]],
            [[-100, -100, -100, 8], [-100, -100, -100, 9]],
            [4, 4],
            2,
        ),  # unlike
        ([[5, 6, 7, 8], [5, 6, 7, 9]], [[-100, -100, 7, 8], [-100, -100, -100, 9]], [4, 4], 1),  # 7 is trained
        ([[5, 6, 7, 8], [5, 6, 7, 8]], [[-100] * 4] * 2, [4, 4], 3),  # each keeps one of its own
        ([[5, 6, 7, 8], [5, 6, 0, 0]], [[-100] * 4] * 2, [4, 2], 1),  # even where a row ends early
        ([[5, 6, 7, 8], [4, 6, 7, 8]], [[-100] * 4] * 2, [4, 4], 0),
        ([[5, 6, 7, 8]], [[-100] * 4], [4], 0),
        ([[0, 0], [0, 0]], [[-100] * 2] * 2, [2, 2], 1),  # blank rows
    ],
)
def test_what_is_shared_ends_before_what_a_row_is_trained_on(ids, labels, sizes, shared):
    mask = (torch.arange(len(ids[0]))[None] < torch.tensor(sizes)[:, None]).long()
    line = one_line({"input_ids": torch.tensor(ids), "labels": torch.tensor(labels), "attention_mask": mask})
    assert (line["shared"], line["row_sizes"]) == (shared, [size - shared for size in sizes])
    assert all(size > 0 for size in line["row_sizes"])
    kept = [(0, sizes[0]), *((shared, size) for size in sizes[1:])]
    expected = [token for row, (start, end) in zip(ids, kept, strict=True) for token in row[start:end]]
    assert line["input_ids"][0].tolist() == expected
    assert line["position_ids"][0].tolist() == [place for part in kept for place in range(*part)]


def test_a_training_drops_its_padding(tmp_path, monkeypatch):
    """The model of a real training gets rows in one line, as many tokens as they have."""
    hub, plan = tiny.chat_plan(tmp_path, 12, epochs=1.0)
    real, seen = transformers.LlamaForCausalLM.forward, []

    @functools.wraps(real)
    def forward(self, *args, **kwargs):
        if self.training:
            seen.append((kwargs["input_ids"], kwargs["shared"], kwargs["row_sizes"]))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", forward)
    tk.train(plan, tmp_path / "run", hub=hub)
    chats = splits.split(plan.selection.recommendation.profile, plan.seed).train
    rows = supervision.supervise(supervision.load_tokenizer(hub.folder), chats, plan.max_tokens).rows
    assert len(seen) > 1
    assert all(ids.shape == (1, shared + sum(sizes)) for ids, shared, sizes in seen)
    assert all(shared > 0 for _, shared, sizes in seen if len(sizes) > 1)  # what the template begins with
    lengths = sorted(shared + size for _, shared, sizes in seen for size in sizes)
    assert lengths == sorted(len(row.input_ids) for row in rows)
