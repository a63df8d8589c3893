"""Reads and checks `model_registry.json`: facts about models, and the rules that pick one, as data.

A new base model is one object under `models`. What the file records about a model is what was known on a
date; wherever the Hub can be asked, its answer wins.
"""

from __future__ import annotations

import datetime
import json
import os
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from tunekit_hub.errors import RegistryError
from tunekit_hub.estimates.architectures import architecture
from tunekit_hub.facts import Architecture, Method, Record
from tunekit_hub.records import Domain

FILE = "model_registry.json"


class Recorded(Record):
    """What was known of a model on a date. Nothing here is a guess: what was not known is left out."""

    date: datetime.date  # when it was written down, which is not a promise that it still holds
    license: tuple[str, ...] = ()  # empty: no license was declared
    license_name: str | None = None
    license_link: str | None = None
    gated: Literal["auto", "manual", False] | None = None  # None: not known
    safetensors: bool
    weight_bytes: int | None = Field(None, gt=0)  # of one format, as it would be downloaded


class ModelEntry(Record):
    """One base model."""

    id: str  # as people write it
    canonical: str  # as the Hub calls it now
    tasks: tuple[str, ...] = Field(min_length=1)
    parameters: int = Field(gt=0)  # bare encoder, or decoder with its output layer; tied matrices once
    languages: tuple[str, ...] = Field(min_length=1)  # ISO 639-1, or "multilingual"
    domain: Domain | None = None
    good_for: str
    recorded: Recorded
    config: dict[str, Any]  # what the model's own config.json says about its shape

    @model_validator(mode="after")
    def _config_tells(self) -> Self:
        if architecture(self.config, self.parameters) is None:
            raise ValueError(f"`config` of `{self.id}` does not tell the architecture")
        return self

    @property
    def model_type(self) -> str:
        """The family, as `config.json` names it."""
        return self.config["model_type"]

    @property
    def architecture(self) -> Architecture:
        """The numbers that memory and time follow from."""
        shape = architecture(self.config, self.parameters)
        assert shape is not None  # held by the validator
        return shape


class When(Record):
    """What must hold for a rule to match: every condition that is given."""

    languages_beyond: tuple[str, ...] | None = None  # the data has a language outside these
    domain: tuple[Domain, ...] | None = None
    p95_tokens_above: int | None = None
    wants: str | None = None  # the description holds one of these `words`
    wants_not: str | None = None
    rows_below: int | None = None

    @property
    def always(self) -> bool:
        """No condition at all."""
        return self == When()


class Rule(Record):
    """If `when` holds, this model is recommended."""

    when: When = When()
    model: str
    method: Method
    reason: str


class TaskRules(Record):
    """How a model is picked for one task: the first rule that matches, and what stands behind each pick."""

    rules: tuple[Rule, ...] = Field(min_length=1)
    ladders: dict[str, tuple[str, ...]]


class Registry(Record):
    """All of `model_registry.json`."""

    schema_: str | None = Field(None, alias="$schema")
    words: dict[str, tuple[Annotated[str, Field(pattern=r"^\w+$")], ...]]  # matched where a word begins
    models: tuple[ModelEntry, ...]
    tasks: dict[str, TaskRules]

    def entry(self, model_id: str) -> ModelEntry | None:
        """The model of that id, old or canonical; letter case does not matter, as on the Hub."""
        wanted = model_id.lower()
        return next((m for m in self.models if wanted in (m.id.lower(), m.canonical.lower())), None)

    def problems(self) -> list[str]:
        """What no single field can tell: ids that lead nowhere, rules that never match."""
        seen = Counter(name for m in self.models for name in {m.id.lower(), m.canonical.lower()})
        found = [f"`{name}` is listed {count} times" for name, count in seen.items() if count > 1]
        for name, task in self.tasks.items():
            found += self._rule_problems(name, task) + self._ladder_problems(name, task)
        found += [
            f"model `{m.id}`: no such task `{t}`" for m in self.models for t in m.tasks if t not in self.tasks
        ]
        return found

    def _rule_problems(self, name: str, task: TaskRules) -> list[str]:
        found = []
        for number, rule in enumerate(task.rules, 1):
            where, last = f"{name}, rule {number}", number == len(task.rules)
            found += self._id_problems(where, name, rule.model)
            if rule.model not in task.ladders:
                found.append(f"{where}: `{rule.model}` has no ladder; write an empty one if nothing is behind it")
            for group in (rule.when.wants, rule.when.wants_not):
                if group is not None and group not in self.words:
                    found.append(f"{where}: no such word list `{group}`")
            if rule.when.always and not last:
                found.append(f"{where} always matches, so the rules after it never do")
            if last and not rule.when.always:
                found.append(f"{name}: the last rule has conditions, so some data gets no model")
        return found

    def _ladder_problems(self, name: str, task: TaskRules) -> list[str]:
        found = []
        for top, rungs in task.ladders.items():
            where = f"{name}, ladder of `{top}`"
            for model_id in (top, *rungs):
                found += self._id_problems(where, name, model_id)
            found += [f"{where}: `{m}` stands in it twice" for m, n in Counter((top, *rungs)).items() if n > 1]
        return found

    def _id_problems(self, where: str, task: str, model_id: str) -> list[str]:
        entry = next((m for m in self.models if m.id == model_id), None)
        if entry is None:
            return [f"{where}: no model has the id `{model_id}`"]
        return [] if task in entry.tasks else [f"{where}: `{model_id}` is not listed for this task"]


def load(path: Path | None = None) -> Registry:
    """The registry of `path`, else of the environment's `TUNEKIT_REGISTRY`, else the package's own.

    Raises:
        RegistryError: The file is missing or wrong; all problems are listed at once.
    """
    return _load((path or _default_path()).resolve())


def json_schema() -> str:
    """The text of `model_registry.schema.json`, from which editors know the form of the registry."""
    schema = Registry.model_json_schema(by_alias=True)
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**draft, **schema}, indent=2, ensure_ascii=False) + "\n"


def _default_path() -> Path:
    named = os.environ.get("TUNEKIT_REGISTRY")
    if named:
        return Path(named)
    package = Path(__file__).parent
    # An installed package holds the file itself; a checkout has it one folder up.
    return next((p for p in (package / FILE, package.parent / FILE) if p.is_file()), package / FILE)


@lru_cache(maxsize=8)
def _load(path: Path) -> Registry:
    try:
        registry = Registry.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RegistryError(f"cannot read the model registry `{path}`: {error.strerror}", _HINT) from error
    except UnicodeDecodeError as error:
        raise RegistryError(f"`{path}` is not UTF-8 text", _HINT) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RegistryError(f"`{path}` is not JSON: {error.msg} at {place}", "correct that line") from error
    except ValidationError as error:
        raise _listed(path, [_readable(e) for e in error.errors(include_url=False)]) from error
    problems = registry.problems()
    if problems:
        raise _listed(path, problems)
    return registry


_HINT = "name a readable file in `TUNEKIT_REGISTRY`, or unset it to use the registry of the package"


def _readable(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    return f"{place or 'the file'}: {error['msg']}"


def _listed(path: Path, problems: list[str]) -> RegistryError:
    lines = "".join(f"\n- {problem}" for problem in problems)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    hint = f"correct them; `model_registry.schema.json` describes the form that `{path.name}` must have"
    return RegistryError(f"{count} in the model registry `{path}`:{lines}", hint)
