"""Python for the card of a chat model: load it, ask, print the answer."""

from __future__ import annotations

import json

from tunekit_hub.facts import Weights
from tunekit_hub.records import Plan, Profile

QUESTION = "What can you help me with?"


def snippet(plan: Plan, repo_id: str, weights: Weights | None = None) -> str:
    """Python that loads the published model with plain transformers and peft, asks, and prints the answer."""
    chosen = plan.selection
    if (weights or plan.weights) == "adapter":
        head = "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n"
        load = (
            "base = AutoModelForCausalLM.from_pretrained(\n"
            f"    {_quoted(chosen.repo_id)},\n    revision={_quoted(chosen.revision)},\n"
            '    dtype="auto",\n'
            ")\n"
            f"model = PeftModel.from_pretrained(base, {_quoted(repo_id)})\n"
        )
    else:
        head = "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        load = f'model = AutoModelForCausalLM.from_pretrained({_quoted(repo_id)}, dtype="auto")\n'
    return (
        f"{head}\n{load}"
        f"tokenizer = AutoTokenizer.from_pretrained({_quoted(repo_id)})\n"
        "\n"
        f'messages = [{{"role": "user", "content": {_quoted(QUESTION)}}}]\n'
        "inputs = tokenizer.apply_chat_template(\n"
        '    messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"\n'
        ").to(model.device)\n"
        "output = model.generate(**inputs, max_new_tokens=200)\n"
        'answer = output[0, inputs["input_ids"].shape[1] :]\n'
        "print(tokenizer.decode(answer, skip_special_tokens=True))"
    )


def answers(profile: Profile) -> str:
    """What a chat model does."""
    return f"answers in chats, in the manner of {profile.used_rows:,} example conversations"


def _quoted(text: str) -> str:
    """A Python string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)
