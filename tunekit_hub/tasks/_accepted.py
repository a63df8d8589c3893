"""What annotators decided about a row: Prodigy writes `accept`, `reject` or `ignore` as its `answer`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.tasks._columns import as_text, is_scalar

_COLUMN = "answer"
_ANSWERS = {"accept", "reject", "ignore"}


def accepted(table: pa.Table) -> np.ndarray:
    """Per row, whether it was accepted; all were where nobody was asked."""
    every = np.ones(table.num_rows, bool)
    if _COLUMN not in table.column_names or not is_scalar(table.column(_COLUMN).type):
        return every
    answers = as_text(table.column(_COLUMN))
    if not set(pc.unique(answers).drop_null().to_pylist()[:5]) <= _ANSWERS:
        return every
    return pc.fill_null(pc.equal(answers, "accept"), True).to_numpy()
