"""The order of rows: fixed by seed and pass, whatever the batches and processes."""

import numpy as np
import pytest

from tunekit_hub.trainers._order import Batches, shared, steps

LENGTHS = np.random.default_rng(0).integers(5, 300, 103).tolist()


def rows_of_steps(batch, processes, epoch=0, lengths=LENGTHS, step_rows=8):
    """The rows of each step, all processes together, blank ones left out."""
    size, times = shared(step_rows, batch, processes)
    everyone = [
        Batches(lengths, step_rows=step_rows, batch=size, seed=7, process=n, processes=processes)
        for n in range(processes)
    ]
    for batches in everyone:
        batches.set_epoch(epoch)
    made = [list(batches) for batches in everyone]
    assert {len(one) for one in made} == {len(everyone[0])}
    return [
        sorted(i for one in made for part in one[at : at + times] for i in part if i < len(lengths))
        for at in range(0, len(made[0]), times)
    ]


@pytest.mark.parametrize(("batch", "processes"), [(8, 1), (4, 1), (1, 1), (4, 2), (2, 3), (8, 5)])
def test_steps_have_the_same_rows_whatever_batch_and_processes(batch, processes):
    found = rows_of_steps(batch, processes)
    assert found == rows_of_steps(8, 1)
    assert sorted(i for step in found for i in step) == list(range(len(LENGTHS)))


@pytest.mark.parametrize("rows", [1, 2, 7, 9, 40])
def test_a_few_rows_are_all_there_and_nobody_waits(rows):
    found = rows_of_steps(4, 2, lengths=LENGTHS[:rows])
    assert sorted(i for step in found for i in step) == list(range(rows))


def test_each_pass_has_an_order_of_its_own_that_comes_back():
    one, two = rows_of_steps(4, 1, epoch=0), rows_of_steps(4, 1, epoch=1)
    assert one != two
    assert two == rows_of_steps(4, 1, epoch=1)


def test_rows_of_a_step_are_of_like_length_and_the_longest_comes_first():
    lengths = np.random.default_rng(1).integers(5, 300, 800).tolist()
    made = steps(lengths, 8, seed=7, epoch=0)
    padded = sum(len(step) * max(lengths[i] for i in step) for step in made)
    assert padded < 1.1 * sum(lengths)
    assert lengths[made[0][0]] == max(lengths)
    assert {len(step) for step in made[:-1]} == {8}
