"""Every call of publishing and fetching meets every fault that can befall it.

The calls are those that the commands really make: each command runs once without a fault, and is listened to.
A call that writes meets all of them. Of the others, which are many and of few kinds, each meets its share of the
faults in turn, so that the whole keeps to a few minutes; `python tests/faults/matrix.py --every` does every pair.
The table is printed at the end of the session.
"""

from __future__ import annotations

import os

import fault_table
import pytest
from fault_cases import FAULTS
from fault_cells import cell
from fault_scenes import SCENES

pytestmark = pytest.mark.slow
EVERY_PAIR = "TUNEKIT_EVERY_FAULT" in os.environ


def meets(name, place, seen, fault):
    """Whether this call is to meet this fault."""
    share = 1 if EVERY_PAIR or seen.writes else SCENES[name].share
    return fault.fits(seen) and (place + FAULTS.index(fault)) % share == 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
@pytest.mark.parametrize("name", SCENES, ids=lambda name: name.replace(" ", "-"))
def test_matrix(name, fault, world, calls, record_property):
    chosen = [(place, seen.spot) for place, seen in enumerate(calls(name)) if meets(name, place, seen, fault)]
    made = [(place, cell(world, name, spot, fault)) for place, spot in chosen]
    where = {"scene_at": list(SCENES).index(name), "fault_at": FAULTS.index(fault)}
    record_property(fault_table.PROPERTY, [one.as_json() | where | {"spot_at": place} for place, one in made])
    bad = [f"{one.name}: {'; '.join(one.wrong)}\n{one.said}" for _, one in made if one.wrong]
    assert not bad, "\n\n".join(bad)
