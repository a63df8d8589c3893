"""What the predictions say where people quote a figure: a 24 GB CUDA card with bf16. Prints a Markdown table.

python benchmarks/seed_figures.py
"""

from __future__ import annotations

import sys

from tunekit_hub import estimates, registry
from tunekit_hub.facts import Method
from tunekit_hub.hardware import named as named_hardware

ENCODERS = ("distilbert-base-uncased", "bert-base-uncased", "roberta-base", "microsoft/deberta-v3-base")
# model, method, what is quoted, [(batch, tokens, checkpointing)]
QUOTED: list[tuple[str, Method, str, list[tuple[int, int, bool]]]] = [
    *((model, "full", "4 to 6 GB", [(16, 128, False), (16, 256, False), (16, 512, False)]) for model in ENCODERS),
    (
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "qlora",
        "4 to 5 GB",
        [(1, 512, True), (4, 512, True), (4, 512, False)],
    ),
    (
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "lora",
        "8 to 10 GB",
        [(1, 512, True), (4, 512, True), (4, 512, False)],
    ),
    ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "full", "8 to 10 GB", [(1, 512, True)]),
    ("meta-llama/Llama-2-7b-chat-hf", "qlora", "8 to 12 GB", [(1, 512, True), (4, 512, True), (4, 512, False)]),
    ("mistralai/Mistral-7B-Instruct-v0.2", "qlora", "8 to 12 GB", [(1, 512, True), (4, 512, True)]),
    ("meta-llama/Llama-2-7b-chat-hf", "lora", "28 to 32 GB", [(1, 512, True), (4, 512, True), (4, 512, False)]),
    ("meta-llama/Llama-2-7b-chat-hf", "full", "28 to 32 GB", [(1, 512, True)]),
]


def main() -> None:
    """Print the table."""
    gpu = named_hardware.named("24GB")
    lines = ["| model | method | batch × tokens | quoted | predicted | on 24 GB |", "|---|---|---|---|---|---|"]
    for model, method, quoted, shapes in QUOTED:
        entry = registry.load().entry(model)
        assert entry is not None
        for batch, tokens, again in shapes:
            need = estimates.memory(entry.architecture, method, gpu, estimates.Shape(tokens, batch, again))
            how = f"{batch} × {tokens}" + (", checkpointing" if again else "")
            answer = estimates.verdict(need, gpu).upper()
            lines.append(f"| {model} | {method} | {how} | {quoted} | {need.total / 1e9:.1f} GB | {answer} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
