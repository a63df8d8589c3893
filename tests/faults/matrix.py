"""Runs the fault matrix and writes its table: each call to the terminal, the counts into `docs/faults.md`.

`--every` does every pair of a call and a fault, which takes a quarter of an hour; other arguments are pytest's.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PAGE = TESTS.parent / "docs" / "faults.md"
_PLACE = re.compile(r"(?<=<!-- matrix -->\n).*?(?=<!-- /matrix -->)", re.DOTALL)


class _Listener:
    """Takes the cells from the reports."""

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.append(report)


def main() -> int:
    """Exit code 0 only where every cell is as it should be."""
    arguments, listener = [word for word in sys.argv[1:] if word != "--every"], _Listener()
    if "--every" in sys.argv:
        os.environ["TUNEKIT_EVERY_FAULT"] = "1"
    path = str(Path(__file__).parent / "test_fault_matrix.py")
    code = pytest.main(["-q", path, *arguments], plugins=[listener])
    sys.path.insert(0, str(TESTS))
    import fault_table

    if code == 0:
        table = fault_table.markdown(fault_table.reported(listener.reports))
        page = _PLACE.sub(lambda _: f"{table}\n", PAGE.read_text(encoding="utf-8"))
        PAGE.write_text(page, encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
