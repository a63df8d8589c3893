"""What a profile means for the choice of a model, its training and its publication, in sentences.

What decides about the model is read from the registry's rules, so that a sentence here never contradicts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import TYPE_CHECKING

from tunekit_hub import estimates, registry, units
from tunekit_hub.profiles.sensitive import NAMES as SENSITIVE
from tunekit_hub.tasks import TASKS
from tunekit_hub.text import count_rows, quote

if TYPE_CHECKING:
    from tunekit_hub.records import Profile
    from tunekit_hub.registry import Rule

_CLOSE = 0.05  # of a rule's threshold: worth saying that it is near
_ROUGH = 0.15  # the same for a token length that is only estimated
_EXPECTED = 0.9  # the accuracy that the interval of the held-out rows is given for
_FEW = 20  # rows of a label, below which its own score says little
_WEIGHED = "rare labels weigh more in training, and macro F1, in which all count the same, says more than accuracy"
_Z = 1.96  # 95 %, of the normal distribution


def explain(profile: Profile) -> tuple[str, ...]:
    """The sentences, those on the model first."""
    return (*_of_model(profile), *_of_labels(profile), *_of_evaluation(profile), *_of_notes(profile))


def _rules(profile: Profile) -> tuple[Rule, ...]:
    """The rules for this task that ask nothing of the description's words."""
    found = registry.load().tasks.get(profile.task)
    return tuple(rule for rule in found.rules if rule.when.wants is None) if found else ()


def _of_model(profile: Profile) -> Iterator[str]:
    for rule in _rules(profile):
        why = _of_language(profile, rule) or _of_domain(profile, rule) or _of_length(profile, rule)
        if why:
            yield f"{why}: the rules take `{rule.model}`"
            return
    yield from _near_length(profile)
    yield from _of_rows(profile)


def _of_language(profile: Profile, rule: Rule) -> str:
    if rule.when.languages_beyond is None:
        return ""
    beyond = [language for language in profile.languages if language not in rule.when.languages_beyond]
    return f"Text in {quote(beyond)}, which is beyond {quote(rule.when.languages_beyond)}" if beyond else ""


def _of_domain(profile: Profile, rule: Rule) -> str:
    if profile.domain is None or profile.domain not in (rule.when.domain or ()):
        return ""
    return f"{profile.domain.capitalize()} vocabulary ({', '.join(profile.domain_words[:5])})"


def _of_length(profile: Profile, rule: Rule) -> str:
    most = rule.when.p95_tokens_above
    if most is None or profile.tokens.p95 <= most:
        return ""
    return f"More than 5 % of the rows are longer than {units.count(most)} tokens ({_p95(profile)})"


def _near_length(profile: Profile) -> Iterator[str]:
    close = _ROUGH if profile.tokens.estimated else _CLOSE
    for rule in _rules(profile):
        most = rule.when.p95_tokens_above
        if most is not None and profile.tokens.p95 > most * (1 - close):
            yield (
                f"Lengths are near the {units.count(most)} tokens above which the rules take `{rule.model}` "
                f"({_p95(profile)}); the model's own tokenizer counts again before the plan"
            )


def _p95(profile: Profile) -> str:
    return f"p95 {units.count(profile.tokens.p95)}" + (", estimated" if profile.tokens.estimated else "")


def _of_rows(profile: Profile) -> Iterator[str]:
    """Which of the rules on the number of rows holds, and the next threshold where it is near."""
    sized = [rule for rule in _rules(profile) if rule.when.domain is None and rule.when.p95_tokens_above is None]
    sized = [rule for rule in sized if rule.when.languages_beyond is None]
    rows = profile.num_rows
    for place, rule in enumerate(sized):
        below = rule.when.rows_below
        if below is not None and rows >= below:
            continue
        said = f"{count_rows(rows)}: by number the rules take `{rule.model}`"
        before = sized[place - 1].when.rows_below if place else None
        if below is not None and rows >= below * (1 - _CLOSE) and place + 1 < len(sized):
            said += f"; from {units.count(below)} rows on it would be `{sized[place + 1].model}`"
        elif before is not None and rows <= before * (1 + _CLOSE):
            said += f"; below {units.count(before)} rows it would be `{sized[place - 1].model}`"
        yield said
        return


def _of_labels(profile: Profile) -> Iterator[str]:
    if len(profile.labels) < 2:
        return
    often = max(profile.labels, key=profile.labels.__getitem__)
    seldom = min(profile.labels, key=profile.labels.__getitem__)
    ratio = profile.labels[often] / max(profile.labels[seldom], 1)
    if ratio >= estimates.CLASS_WEIGHTS_FROM:
        said = f"`{often}` is {ratio:.{0 if ratio >= 10 else 1}f} times as frequent as `{seldom}`"
        yield said + (
            f": {_WEIGHED}" if TASKS[profile.task].weighs_labels else ": look at the score of each by itself"
        )
    few = sum(count < _FEW for count in profile.labels.values())
    if few:
        which = "1 label has" if few == 1 else f"{few:,} labels have"
        yield f"{which} fewer than {_FEW} examples: too few to learn well, and too few to measure it by"


def _of_evaluation(profile: Profile) -> Iterator[str]:
    multi = profile.counts.get("multi_turn", 0)
    if multi:
        share = 100 * multi / max(profile.num_rows, 1)
        yield f"{share:.0f} % of the conversations have several answers, and every one of them is learned"
    if not TASKS[profile.task].weighs_labels or "rows_with_several_labels" in profile.counts:
        return  # what is right or wrong is not a row
    rows = profile.test_rows or estimates.held_out(profile.used_rows, "encoder")
    wide = 100 * _Z * sqrt(_EXPECTED * (1 - _EXPECTED) / rows)
    yield (
        f"{count_rows(rows)} to test on: an accuracy of {_EXPECTED * 100:.0f} % would be known to about "
        f"±{wide:.{0 if wide >= 10 else 1}f} points"
    )


def _of_notes(profile: Profile) -> Iterator[str]:
    count = {note.code: note.count for note in profile.notes}
    if count.get("duplicates") and not profile.test:
        yield "Rows with equal text stay on one side of the split, so none is both trained on and tested"
    if count.get("near-duplicates") and not profile.test:
        yield "Nearly equal rows may stand on both sides of the split, and then the score flatters: thin them out"
    if count.get("label-conflicts"):
        yield "Equal texts with different labels cap the score that any model can reach: settle which one is right"
    if count.get("near-leakage"):
        yield "Nearly equal rows in both files make the score flatter than new data will: thin out the test file"
    if count.get("leakage"):
        yield "What is in the test file too is not trained on, so the score stays honest"
    if count.get("unseen-labels"):
        yield "A label that only the test file has is never predicted: every such row counts as wrong"
    if SENSITIVE.keys() & count.keys():
        yield "A model can repeat what it has read: take secrets and personal data out before you publish it"
