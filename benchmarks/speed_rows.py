"""Made-up rows for the speed benchmarks, the same for the same seed: chats, and labelled questions.

A chat is about a way through a town: 40 to 400 tokens, one to three turns, evenly spread, so that padding costs
what it costs with people's data. There is something to learn in them, so that held-out loss tells the sides apart.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

PLACES = (
    *("station", "library", "harbour", "market hall", "town hall", "swimming pool", "old mill", "museum"),
    *("bakery", "school", "hospital", "theatre", "stadium", "water tower", "botanical garden", "post office"),
)
STREETS = (
    *("Mill Lane", "Harbour Road", "Kings Avenue", "Church Street", "Station Road", "Garden Walk", "Elm Street"),
    *("Bridge Street", "North Row", "South Parade", "Castle Hill", "Weaver's Yard", "Long Acre", "Foundry Lane"),
)
TURNS = ("turn left into", "turn right into", "go straight on along", "cross", "follow the tram on", "walk down")
MARKS = ("a red door", "the two lime trees", "a small fountain", "the blue signpost", "a stone arch", "the kiosk")
TOPICS = {
    "delivery": ("my parcel has not come", "where is the order I placed", "the driver left it with nobody"),
    "refund": ("I want my money back", "you charged me twice", "the refund has not arrived"),
    "login": ("I cannot sign in", "the password is refused", "the code never reaches my phone"),
    "invoice": ("the invoice shows a wrong address", "I need the bill again", "please send a receipt"),
    "damage": ("it came broken", "the glass is cracked", "a part is missing from the box"),
    "hours": ("when do you open", "are you there on Sunday", "how late can I call"),
}
FILLERS = (
    *("I wrote about it last week already.", "Please help me.", "It is the second time this year.", "Thank you!"),
    *("My neighbour had the same.", "I am not at home until Friday.", "The number is on the form, I think."),
    *("Nobody answers the phone.", "I would rather not call again.", "That was in the spring.", "What now?"),
)
WORDS_A_STEP = 13  # of one line of an answer, roughly; a word here is about 1.3 tokens


def chats(count: int, seed: int) -> list[dict[str, Any]]:
    """So many different chats; lengths are spread evenly."""
    chance = random.Random(f"chats {seed}")
    made: dict[str, dict[str, Any]] = {}
    while len(made) < count:
        row = {"messages": _chat(chance)}
        made.setdefault(json.dumps(row), row)
    return list(made.values())


def questions(count: int, seed: int, wrong: float = 0.05) -> list[dict[str, str]]:
    """So many different texts with the `label` of what they are about; a share of them has a wrong one."""
    chance, names = random.Random(f"questions {seed}"), list(TOPICS)
    made: dict[str, dict[str, str]] = {}
    while len(made) < count:
        name = chance.choice(names)
        said = [chance.choice(TOPICS[name]), *chance.sample(FILLERS, chance.randint(0, 5))]
        chance.shuffle(said)
        text = f"Number {chance.randint(1000, 9999)}: " + " ".join(said)
        made[text] = {"text": text, "label": chance.choice(names) if chance.random() < wrong else name}
    return list(made.values())


def write(rows: list[Any], path: Path) -> Path:
    """The rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _chat(chance: random.Random) -> list[dict[str, str]]:
    left = chance.uniform(0, 235)  # words, of all turns together
    turns: list[dict[str, str]] = []
    for number in range(chance.choice((1, 1, 2, 3))):
        start, end = chance.sample(PLACES, 2)
        again = "And" if number else chance.choice(("Hello!", "Hello! I am new here. Please tell me:"))
        steps = max(0, round(left / WORDS_A_STEP * chance.uniform(0.4, 1)))
        left -= steps * WORDS_A_STEP
        turns += [
            {"role": "user", "content": f"{again} how do I get from the {start} to the {end}?"},
            {"role": "assistant", "content": _way(chance, start, end, steps)},
        ]
    return turns


def _way(chance: random.Random, start: str, end: str, steps: int) -> str:
    if not steps:
        return f"The {end} is next to the {start}."
    lines = [
        f"{n}. {chance.choice(TURNS).capitalize()} {chance.choice(STREETS)} until you see {chance.choice(MARKS)}."
        for n in range(1, steps + 1)
    ]
    return "\n".join([f"From the {start} to the {end}:", *lines])
