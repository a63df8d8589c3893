"""Which rows make a step, and in which order: fixed by the seed and the pass alone.

So a run that goes on after a stop, one whose batch had to be halved, and one on several processes all take the
same steps. Rows of a step are of like length, which saves padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

WINDOW = 50  # steps whose rows are sorted by length together; more would make every pass group the same rows


def steps(lengths: Sequence[int], step_rows: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The steps of a pass, each the indices of `step_rows` rows, the longest first; only the last may be short.

    The very first step has the longest row of all: what does not fit the memory is known at once.
    """
    chance, size = np.random.default_rng((seed, epoch)), np.asarray(lengths)
    order = chance.permutation(len(size))
    window = step_rows * max(1, min(len(size) // (step_rows * 4), WINDOW))
    made: list[np.ndarray] = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(-size[part], kind="stable")]
        made += [part[i : i + step_rows] for i in range(0, len(part), step_rows)]
    full = len(size) // step_rows
    shuffled = [made[i] for i in chance.permutation(full)] + made[full:]
    if epoch == 0 and full:
        longest = max(range(full), key=lambda i: size[shuffled[i][0]])
        shuffled[0], shuffled[longest] = shuffled[longest], shuffled[0]
    return shuffled


class Batches:
    """The batches of one process, pass by pass; `set_epoch` says which pass. A torch batch sampler.

    Every process has as many batches in a step as the others. Where the rows of the last step are too few for
    that, a batch holds the index `len(lengths)`: a blank row, which carries no loss.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        step_rows: int,
        batch: int,
        seed: int,
        process: int = 0,
        processes: int = 1,
    ):
        self.lengths, self.step_rows, self.batch, self.seed = lengths, step_rows, batch, seed
        self.process, self.processes = process, processes
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The pass that the next iteration is about, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        full, rest = divmod(len(self.lengths), self.step_rows)
        return full * self._each(self.step_rows) + (self._each(rest) if rest else 0)

    def __iter__(self) -> Iterator[list[int]]:
        blank = len(self.lengths)
        for step in steps(self.lengths, self.step_rows, self.seed, self.epoch):
            parts = np.array_split(step, self._each(len(step)) * self.processes)
            for part in parts[self.process :: self.processes]:
                yield part.tolist() or [blank]

    def _each(self, rows: int) -> int:
        """Batches of each process in a step of `rows` rows."""
        return -(-rows // (self.batch * self.processes))


def shared(step_rows: int, batch: int, processes: int) -> tuple[int, int]:
    """Batch and accumulation of each of `processes`, for the same rows a step as one would take."""
    batch = min(batch, -(-step_rows // processes))
    return batch, -(-step_rows // (batch * processes))
