"""LoRA layers in one piece: what peft computes, in fewer passes."""

import pytest
import torch

from tunekit_hub import quiet
from tunekit_hub.trainers._adapters import in_one_piece


def adapted(*, bias=False, **settings):
    """Two linear layers with adapters that do something."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Linear(6, 9, bias=bias), torch.nn.Tanh(), torch.nn.Linear(9, 4, bias=bias)
    )
    model = get_peft_model(layers, LoraConfig(r=3, lora_alpha=6, target_modules=["0", "2"], **settings))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_()
    return model


def told(model, x):
    """What the model says of `x`, and the gradients of its adapters and of `x`."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    out = model(x)
    wanted = [x, *weights] if x.requires_grad else weights
    return [out, *torch.autograd.grad(out.float().square().sum(), wanted)]


@pytest.mark.parametrize("shape", [(5, 6), (2, 5, 6), (0, 6)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_numbers_are_those_of_peft(shape, bias, asked):
    model = adapted(bias=bias)
    x = torch.randn(shape, requires_grad=asked)
    plain = told(model, x)
    with in_one_piece(model) as number:
        assert number == 2
        ours = told(model, x)
        assert type(model(x).grad_fn).__name__ == "AdaptedBackward"
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(told(model, x), plain, strict=True):
        assert torch.equal(one, other)  # peft's own again


def test_half_precision_weights_with_adapters_in_float32():
    """As a frozen base is trained where there are bf16 units."""
    model = adapted()
    for name, weight in model.named_parameters():
        if "lora" not in name:
            weight.data = weight.data.bfloat16()
    x = torch.randn(7, 6, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        plain = told(model, x)
        with in_one_piece(model):
            ours = told(model, x)
    for one, other in zip(ours, plain, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, atol=0.05 * float(other.detach().abs().max()), rtol=0)


def test_a_float32_base_under_autocast_stays_with_peft():
    model, x = adapted(), torch.randn(7, 6)
    with torch.autocast("cpu", torch.bfloat16):
        plain = told(model, x)
        with in_one_piece(model):
            ours = told(model, x)
    assert all(torch.equal(one, other) for one, other in zip(ours, plain, strict=True))


@pytest.mark.parametrize("settings", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}])
def test_layers_that_do_more_are_left_alone(settings):
    bias = bool(settings.get("lora_bias"))
    with in_one_piece(adapted(bias=bias, **settings)) as number:
        assert number == 0


def test_adapters_that_are_switched_off_stay_so():
    model, x = adapted(), torch.randn(5, 6)
    with model.disable_adapter():
        base = model(x)
    with in_one_piece(model), model.disable_adapter():
        assert torch.equal(model(x), base)
    with pytest.raises(ZeroDivisionError), in_one_piece(model):
        raise ZeroDivisionError
    assert not any("forward" in vars(layer) for layer in model.modules())


@pytest.mark.parametrize("again", [False, True])
def test_a_whole_model_with_layers_that_share_their_input(again, tmp_path):
    """Queries, keys and values of one input, biases, padding; also where activations are computed again."""
    import tiny
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    base = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tiny.tokenizer()), num_key_value_heads=2, **size))
    assert base.model.layers[0].self_attn.q_proj.bias is not None
    with quiet.libraries():
        model = get_peft_model(base, LoraConfig(r=3, lora_alpha=6, target_modules="all-linear")).train()
        if again:
            model.enable_input_require_grads()
            model.gradient_checkpointing_enable()
        weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        for name, weight in weights.items():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
        ids = torch.randint(3, 200, (2, 7))

        def run():
            model.zero_grad()
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
            loss.backward()
            return [loss.detach(), *(weight.grad.clone() for weight in weights.values())]

        plain = run()
        with in_one_piece(model) as number:
            assert number == 14
            ours = run()
        for one, other in zip(ours, plain, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))
        model.save_pretrained(tmp_path, save_embedding_layers=False)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    assert {name.replace(".default.", ".") for name in weights} == set(saved)
