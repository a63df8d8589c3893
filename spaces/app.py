"""The Space: TuneKit Hub in a browser. `tunekit-hub space` serves the same at home."""

from __future__ import annotations

import os

# Read when gradio and huggingface_hub are first imported. The owner's token is never a visitor's.
os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from pages import home

if __name__ == "__main__":
    home.launch(home.build())
