"""What can be had without a neural network, from the rows the model was trained on."""

from __future__ import annotations

from tunekit_hub.labelled import Labelled, Tagged
from tunekit_hub.scores import baselines

TRAIN = [
    *(Labelled(text, ("arrival",)) for text in ("where is my card", "my card has not come", "when will it come")),
    *(
        Labelled(text, ("lost",))
        for text in ("i lost my card", "card is lost", "lost it on a train", "all is lost")
    ),
]


def test_majority_says_one_thing():
    assert baselines.majority(TRAIN, TRAIN[:2]) == [("lost",), ("lost",)]


def test_words_are_learned():
    held_out = [Labelled("it is lost", ("lost",)), Labelled("when will my card come", ("arrival",))]
    assert baselines.tfidf(TRAIN, held_out) == [row.labels for row in held_out]


def test_several_labels_are_learned_one_by_one():
    rows = [
        *(Labelled(f"red thing {i}", ("red",)) for i in range(5)),
        *(Labelled(f"large thing {i}", ("large",)) for i in range(5)),
        *(Labelled(f"large red thing {i}", ("large", "red")) for i in range(5)),
        *(Labelled(f"thing {i}", ()) for i in range(5)),
    ]
    found = baselines.tfidf(rows, [Labelled("a large red one", ()), Labelled("some other one", ())])
    assert found == [("large", "red"), ()]


def test_scripts_without_spaces_are_learned():
    rows = [*[Labelled("我的卡丢了", ("lost",))] * 3, *[Labelled("卡什么时候到", ("arrival",))] * 3]
    assert baselines.tfidf(rows, [Labelled("卡丢了吗", ())]) == [("lost",)]


def test_nothing_to_learn_is_no_baseline():
    assert baselines.tfidf(TRAIN[:3], TRAIN) is None
    assert baselines.tfidf([Labelled(" ", ("a",)), Labelled(" ", ("b",))], TRAIN) is None


def test_words_are_remembered_with_their_most_frequent_tag():
    train = [Tagged(("Ada", "met", "May"), ("B-PER", "O", "B-PER")), Tagged(("in", "May"), ("O", "O"))]
    train.append(Tagged(("May", "rains"), ("O", "O")))
    assert baselines.memory(train, [Tagged(("May", "met", "Ada", "Byron"), ("",) * 4)]) == [
        ("O", "O", "B-PER", "O")
    ]


def test_a_new_word_is_the_most_frequent_part_of_speech():
    train = [Tagged(("dogs", "bark", "cats"), ("NOUN", "VERB", "NOUN"))]
    assert baselines.memory(train, [Tagged(("birds", "bark"), ("", ""))]) == [("NOUN", "VERB")]
    assert baselines.majority_tag(train, [Tagged(("birds", "bark"), ("", ""))]) == [("NOUN", "NOUN")]
