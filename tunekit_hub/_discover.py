"""Finds what a package's modules offer: one file to add a task, a check or a trainer."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TypeVar

T = TypeVar("T")


def discover(package: str, kind: type[T]) -> dict[str, T]:
    """The one object of `kind` that each module of `package` offers, by its `name`, sorted.

    A module that offers none or two, two objects of one name, or a module that fails to import is a bug in
    the package and raises at once.
    """
    found: dict[str, T] = {}
    for info in sorted(pkgutil.iter_modules(importlib.import_module(package).__path__), key=lambda m: m.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        offered = [value for value in vars(module).values() if isinstance(value, kind)]
        if len(offered) != 1:
            raise RuntimeError(f"{package}.{info.name} offers {len(offered)} of {kind.__name__}, not one")
        name: str = vars(offered[0])["name"]
        if name in found:
            raise RuntimeError(f"two modules of {package} offer {kind.__name__} {name!r}")
        found[name] = offered[0]
    return found
