"""The loss of held-out rows, whatever batches they are read in."""

import pytest
import tiny

from tunekit_hub.scores import scoring


def test_a_large_vocabulary_is_read_in_smaller_batches():
    rows = [7, 3, 5, 1, 2]
    assert scoring._batches([10] * 5, rows) == [[7, 3, 5, 1], [2]]
    sizes = [scoring.LOGITS * 2, scoring.LOGITS, scoring.LOGITS // 2, 10, 10]
    assert scoring._batches(sizes, rows) == [[7], [3], [5, 1], [2]]


def test_losses_are_the_same_in_any_batches(tmp_path, monkeypatch):
    model, _ = scoring.load(tiny.save_model(tmp_path / "base"), None, "fp32")
    rows = [(ids, [-100] * 3 + ids[3:]) for ids in (list(range(5, 5 + length)) for length in (9, 30, 14, 22, 5))]
    together = scoring.row_losses(model, rows)
    monkeypatch.setattr(scoring, "LOGITS", 1)
    for one, other in zip(scoring.row_losses(model, rows), together, strict=True):
        assert one.tokens == other.tokens > 0
        assert one.total == pytest.approx(other.total, rel=1e-5)
