"""Malformed and odd files: each ends as the right table or in a clear error, none in a traceback."""

from __future__ import annotations

import random

import pytest
from odd_files import ODD, Read, write

from tunekit_hub import data
from tunekit_hub.errors import DataError, TunekitError
from tunekit_hub.profiling import profile

READ = [case for case, (_, _, expected) in ODD.items() if isinstance(expected, Read)]
REFUSED = [case for case in ODD if case not in READ]


def test_there_are_many():
    assert len(ODD) >= 60


@pytest.mark.parametrize("case", READ)
def test_read(case, tmp_path):
    expected = ODD[case][2]
    rows = data.read(write(tmp_path, case))
    assert rows.table.column_names == expected.columns
    assert rows.table.num_rows == len(rows.lines) == expected.rows
    found = rows.table.to_pylist()
    for place, values in expected.some.items():
        assert {name: found[place][name] for name in values} == values
    if expected.lines is not None:
        assert list(rows.lines) == expected.lines
    assert [note.code for note in rows.notes] == expected.notes
    assert not expected.says or any(expected.says in note.message for note in rows.notes)
    assert expected.format in (None, rows.ref.format)


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, tmp_path):
    expected = ODD[case][2]
    with pytest.raises(DataError) as caught:
        data.read(write(tmp_path, case))
    assert expected.says in caught.value.message
    assert expected.hint in caught.value.hint
    assert caught.value.hint
    assert not caught.value.message.endswith(".")


@pytest.mark.parametrize("case", ODD)
def test_profile_ends_in_a_profile_or_a_clear_error(case, tmp_path):
    """The whole first stage: also what can be read and fits no task is said in words."""
    path = write(tmp_path, case)
    try:
        found = profile(path)
    except TunekitError as error:
        assert error.message
        assert error.hint
        return
    assert found.num_rows > 0
    assert isinstance(ODD[case][2], Read)


def _mutated(content: bytes, choice: random.Random) -> bytes:
    """A few bytes changed, taken out, put in or repeated, or the rest cut off."""
    found = bytearray(content)
    for _ in range(choice.randint(1, 4)):
        place = choice.randrange(len(found) + 1)
        kind = choice.randrange(5)
        if kind == 0:
            found[place : place + 1] = bytes([choice.randrange(256)])
        elif kind == 1:
            del found[place : place + choice.randrange(1, 9)]
        elif kind == 2:
            found[place:place] = choice.choice(
                [b'"', b",", b"\n", b"\t", b"\r", b"\0", b"{", b"]", b"\xff", b"# "]
            )
        elif kind == 3:
            del found[place:]
        else:
            found += found[place : place + 50]
    return bytes(found)


def test_no_damage_ends_in_a_traceback(tmp_path):
    """400 of the files above, each damaged a little; the same ones every time."""
    choice = random.Random(20_240_607)
    small = [(name, content) for name, content, _ in ODD.values() if len(content) < 20_000]
    for _ in range(400):
        name, content = choice.choice(small)
        path = tmp_path / name
        path.write_bytes(_mutated(content, choice))
        try:
            rows = data.read(path)
        except TunekitError as error:
            assert error.hint, error.message
        else:
            assert len(rows.lines) == rows.table.num_rows > 0
