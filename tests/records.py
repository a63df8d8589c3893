"""One realistic chain of records, from a profile to a publication; any part can be overridden.

    make_profile() → make_recommendation() → make_selection() → make_plan() → make_training()
    → make_evaluation() → make_publication()

Each function takes the fields to change and, where it has one, the record before it.
"""

from __future__ import annotations

from tunekit_hub import records as r
from tunekit_hub.facts import Architecture, Finding, Hardware, Request, Verdict

REVISION = "12fd25f77366fa6b3b4b768ec3050bf629380bac"
BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
GIB = 2**30
# The bytes that `run_folder.safetensors_bytes()` gives.
WEIGHTS = {"adapter_model.safetensors": "f35ccef3a52e9ba66c2538766500aa0f457e091443239e05dc5bfa489126b370"}


def make_architecture(**changes) -> Architecture:
    """SmolLM2-135M."""
    fields = {
        "kind": "decoder",
        "parameters": 134_515_008,
        "layers": 30,
        "hidden": 576,
        "heads": 9,
        "kv_heads": 3,
    }
    fields |= {"intermediate": 1536, "vocab": 49_152, "context": 8192, "tied": True, "gated_mlp": True}
    return Architecture(**(fields | changes))


def make_hardware(**changes) -> Hardware:
    """Two cores, 8 GiB, no GPU."""
    fields = {"name": "2 CPU cores", "device": "cpu", "cores": 2, "memory": 8 * GIB, "disk": 40 * GIB}
    return Hardware(**(fields | {"bf16": True, "gflops": 900.0} | changes))


def make_request(**changes) -> Request:
    """Commercial use on `make_hardware()`, ten minutes."""
    fields = {"hardware": make_hardware(), "task": "instruction_tuning", "languages": ("en",), "rows": 240}
    return Request(**(fields | {"tokens": 52_000, "p95_tokens": 390, "max_time": 600.0} | changes))


def make_profile(**changes) -> r.Profile:
    """240 support chats."""
    fields = {
        "data": r.DataRef(source="support_chats.jsonl", format="jsonl", sha256="ab" * 32),
        "task": "instruction_tuning",
        "why": "column `messages` holds role/content turns",
        "shape": "messages",
        "columns": {"messages": "messages"},
        "num_rows": 240,
        "languages": ("en",),
        "tokens": r.Lengths(p50=180, p95=390, max=402, total=52_000),
        "counts": {"multi_turn": 96, "system_prompts": 12},
        "notes": (
            r.Note(code="duplicate", message="same conversation as an earlier row", count=2, lines=(17, 203)),
        ),
    }
    return r.Profile(**(fields | changes))


def make_recommendation(profile: r.Profile | None = None, **changes) -> r.Recommendation:
    """Llama-2, because the description says "production"."""
    fields = {
        "profile": profile or make_profile(),
        "description": "production support chatbot",
        "model": "meta-llama/Llama-2-7b-chat-hf",
        "method": "qlora",
        "reasoning": "The description asks for quality (`production`), so the larger chat model comes first.",
        "ladder": (
            "meta-llama/Llama-2-7b-chat-hf",
            "mistralai/Mistral-7B-Instruct-v0.2",
            "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
            "HuggingFaceTB/SmolLM2-360M-Instruct",
            BASE,
        ),
    }
    return r.Recommendation(**(fields | changes))


def _found(check: str, status: str, message: str, fix: str = "") -> Finding:
    return Finding(check=check, status=status, message=message, fix=fix)


def make_verdicts() -> tuple[Verdict, ...]:
    """Llama-2 and three others turned down, SmolLM2-135M usable."""
    apache = _found("license", "pass", "`apache-2.0` allows commercial use")
    opened = _found("access", "pass", "open to everyone")
    llama = (
        _found(
            "access",
            "block",
            "gated, and this token has no access",
            "ask at https://huggingface.co/meta-llama/Llama-2-7b-chat-hf",
        ),
        _found("license", "warn", "`llama2` allows commercial use under conditions", "name Llama 2 in the card"),
        _found("size", "block", "needs 16.3 GB, 8.6 GB are free", "a GPU with 12 GB or more"),
    )
    mistral = (opened, apache, _found("size", "block", "needs 17.1 GB, 8.6 GB are free"))
    tiny = (
        opened,
        apache,
        _found("size", "block", "would take 1 h 22 min, 10 min 0 s are allowed", "--max-time 2h"),
    )
    middle = (opened, apache, _found("files", "block", "no weights in this repository"))
    chosen = (
        opened,
        apache,
        _found("files", "pass", "safetensors, no code"),
        _found("size", "pass", "LoRA needs 1.9 GB of 8.6 GB, about 3 min 30 s"),
    )
    ladder = make_recommendation().ladder
    licenses = ("llama2", "apache-2.0", "apache-2.0", "apache-2.0", "apache-2.0")
    found = (llama, mistral, tiny, middle, chosen)
    return tuple(
        Verdict(
            model=model,
            repo_id=model,
            revision=REVISION,
            license=license,
            method="lora" if findings is chosen else None,
            findings=findings,
        )
        for model, license, findings in zip(ladder, licenses, found, strict=True)
    )


def make_selection(recommendation: r.Recommendation | None = None, **changes) -> r.Selection:
    """SmolLM2-135M, the fifth on the ladder."""
    fields = {
        "recommendation": recommendation or make_recommendation(),
        "request": make_request(),
        "model": BASE,
        "method": "lora",
        "repo_id": BASE,
        "revision": REVISION,
        "license": "apache-2.0",
        "architecture": make_architecture(),
        "verdicts": make_verdicts(),
    }
    return r.Selection(**(fields | changes))


def make_plan(selection: r.Selection | None = None, **changes) -> r.Plan:
    """LoRA in bf16, a reason for every setting."""
    memory = {"weights": 269_000_000, "adapter": 19_500_000, "gradients": 19_500_000, "optimizer": 39_000_000}
    fields = {
        "selection": selection or make_selection(),
        "trainer": "sft",
        "method": "lora",
        "precision": "bf16",
        "tokens": r.Lengths(p50=176, p95=381, max=402, total=51_900, estimated=False),
        "max_tokens": 512,
        "batch_size": 4,
        "accumulation": 2,
        "epochs": 1.0,
        "learning_rate": 2e-4,
        "warmup": 0.03,
        "checkpointing": False,
        "lora_rank": 16,
        "lora_alpha": 32,
        "seed": 42,
        "eval_rows": 24,
        "train_rows": 216,
        "memory": r.Memory(**memory, activations=900_000_000, logits=250_000_000, overhead=400_000_000),
        "train_seconds": 190.0,
        "seconds": 250.0,
        "time_limit": 400.0,
        "reasons": {
            "method": "trains 1 % of the weights, which is enough for style and facts of this size",
            "precision": "this CPU has bf16 units",
            "max_tokens": "the longest row has 402 tokens",
            "batch_size": "fits the memory with room to spare",
            "learning_rate": "usual for LoRA of this rank",
        },
    }
    return r.Plan(**(fields | changes))


def make_supervision(**changes) -> r.Supervision:
    """All rows kept, 41 % of the tokens trained."""
    fields = {
        "rows": 216,
        "dropped": {},
        "truncated": 0,
        "tokens": 46_800,
        "trained_tokens": 19_200,
        "lost_tokens": 0,
    }
    fields |= {"eos_rows": 216, "how": "assistant turns only, marked by the chat template"}
    fields |= {"lengths": r.Lengths(p50=176, p95=381, max=402, total=46_800, estimated=False)}
    return r.Supervision(**(fields | changes))


def make_training(plan: r.Plan | None = None, **changes) -> r.TrainResult:
    """27 steps."""
    fields = {
        "plan": plan or make_plan(),
        "supervision": make_supervision(),
        "steps": 27,
        "epochs": 1.0,
        "seconds": 171.4,
        "tokens_per_second": 273.0,
        "peak_memory": 1_720_000_000,
        "losses": tuple(r.LossPoint(step=step, loss=2.4 - 0.05 * step) for step in range(1, 28)),
        "versions": {"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.0"},
    }
    return r.TrainResult(**(fields | changes))


def make_evaluation(training: r.TrainResult | None = None, **changes) -> r.Evaluation:
    """Tuning helped, and the saved files give the same answers."""
    before = r.Score(
        name="untuned",
        figures={
            "loss": r.Figure(value=2.41, low=2.2, high=2.62),
            "perplexity": r.Figure(value=11.13),
            "stopped": r.Figure(value=5 / 8, of=8),
        },
    )
    after = r.Score(
        name="tuned",
        figures={
            "loss": r.Figure(value=1.38, low=1.22, high=1.54),
            "perplexity": r.Figure(value=3.97),
            "stopped": r.Figure(value=1.0, of=8),
        },
    )
    fields = {
        "training": training or make_training(),
        "rows": 24,
        "metric": "loss",
        "tuned": after,
        "baselines": (before,),
        "against": "untuned",
        "gain": r.Figure(value=1.03, low=0.91, high=1.15),
        "helped": True,
        "files": ("answers.jsonl",),
        "verdict": "Fine-tuning helped: held-out loss fell from 2.41 to 1.38.",
        "reload": r.Reload(
            source="disk", rows=24, largest_difference=0.0004, answers_equal=True, passed=True, weights=WEIGHTS
        ),
    }
    return r.Evaluation(**(fields | changes))


def make_rehearsal(**changes) -> r.Rehearsal:
    """A free name in ada's own namespace."""
    findings = (_found("token", "pass", "signed in as `ada`"), _found("name", "pass", "`ada/tutor` is free"))
    fields = {"repo_id": "ada/tutor", "user": "ada", "exists": False, "private": True, "findings": findings}
    return r.Rehearsal(**(fields | changes))


def make_publication(evaluation: r.Evaluation | None = None, **changes) -> r.Publication:
    """Private, five files."""
    fields = {"evaluation": evaluation or make_evaluation(), "repo_id": "ada/tutor"}
    fields |= {"url": "http://127.0.0.1:8000/ada/tutor", "commit": "c" * 40, "private": True, "changed": True}
    fields |= {"files": ("adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "README.md")}
    return r.Publication(**(fields | changes))
