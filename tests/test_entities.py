"""What counts as an entity, and as found: cases worked by hand from conlleval's rules."""

from __future__ import annotations

import pytest

from tunekit_hub.scores.entities import are_entity_tags, entities


def spans(tags):
    return [(e.type, e.first, e.last) for e in entities(tags.split())]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("O O", []),
        ("B-PER I-PER O B-LOC", [("PER", 0, 1), ("LOC", 3, 3)]),
        ("B-PER B-PER", [("PER", 0, 0), ("PER", 1, 1)]),
        ("O I-PER I-PER", [("PER", 1, 2)]),  # I without B begins an entity
        ("B-PER I-LOC", [("PER", 0, 0), ("LOC", 1, 1)]),  # a change of type ends one and begins another
        ("I-PER I-LOC I-LOC", [("PER", 0, 0), ("LOC", 1, 2)]),
        ("I-PER B-PER I-PER", [("PER", 0, 0), ("PER", 1, 2)]),  # IOB1
        ("B-PER O I-PER", [("PER", 0, 0), ("PER", 2, 2)]),
        ("S-LOC B-PER I-PER E-PER O", [("LOC", 0, 0), ("PER", 1, 3)]),  # BIOES
        ("B-PER E-PER I-PER", [("PER", 0, 1), ("PER", 2, 2)]),  # E ends it, whatever follows
        ("E-PER E-PER", [("PER", 0, 0), ("PER", 1, 1)]),
        ("S-PER S-PER I-PER", [("PER", 0, 0), ("PER", 1, 1), ("PER", 2, 2)]),
        ("U-LOC B-PER L-PER", [("LOC", 0, 0), ("PER", 1, 2)]),  # BILOU
        ("B I O", [("_", 0, 1)]),
        ("B-two-part I-two-part", [("two-part", 0, 1)]),
    ],
)
def test_entities_are_those_of_conlleval(tags, expected):
    assert spans(tags) == expected


def test_parts_of_speech_are_no_entity_tags():
    assert are_entity_tags(["O", "B-PER", "I-PER"])
    assert not are_entity_tags(["NOUN", "VERB", "O"])
    assert not are_entity_tags(["B", "I", "O"])
