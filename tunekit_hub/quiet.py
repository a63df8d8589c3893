"""Keeps the libraries' own chatter from the terminal, where our pages and our progress bar stand."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def libraries() -> Generator[None]:
    """No progress bars of transformers and datasets, no deprecation notes between libraries; errors stay."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from datasets.utils import logging as datasets_logging
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    datasets_logging.disable_progress_bar()
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    try:
        # What they print is talk; on stdout it would stand among the data of `--json`.
        with warnings.catch_warnings(), redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        transformers_logging.set_verbosity(before)
        if not os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS"):  # with it set, switching them on only warns
            transformers_logging.enable_progress_bar()
            datasets_logging.enable_progress_bar()
