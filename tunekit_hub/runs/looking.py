"""What a visitor can find out before anything is trained. Quick, for many at once; no state but what is cached."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import tunekit_hub as tk
from tunekit_hub import card, dataset_ids, hardware, publication, selection, units
from tunekit_hub.errors import AccessDenied, DataError, NoUsableModel, UsageError
from tunekit_hub.facts import Hardware, Options, Verdict
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.hub import Hub
from tunekit_hub.hub import spaces as hub_spaces
from tunekit_hub.records import Plan, Profile, Recommendation, Rehearsal, Selection
from tunekit_hub.runs import measuring
from tunekit_hub.runs.memory import Memory
from tunekit_hub.runs.settings import Settings
from tunekit_hub.runs.shown import Names, names_of
from tunekit_hub.runs.uploads import Source, Uploads
from tunekit_hub.runs.visitors import Visitor

_PROFILES, _FRESH = 256, 300.0  # profiles that are remembered; seconds that those of datasets of the Hub are
_READERS = 2  # files that are read at once: each may be large, and more would not be faster
_MACHINE = 30.0  # seconds that the machine's free memory is taken to stay
# Options that reach files or accounts of the machine, which are not a visitor's.
_OWNERS = ("accelerate_config", "report_to", "processes")


def options(**given: Any) -> Options:
    """What is asked for, checked; the fields are those of `tunekit_hub.facts.Options`.

    Raises:
        UsageError: a field that there is not, or a value that cannot be.
    """
    try:
        return Options(**given)
    except ValidationError as error:
        wrong = "; ".join(f"`{'.'.join(map(str, e['loc']))}`: {e['msg']}" for e in error.errors())
        raise UsageError(f"wrong options: {wrong}", f"options are: {', '.join(Options.model_fields)}") from error


def hardware_names() -> tuple[str, ...]:
    """The machines that can be planned for by name; `24GB` and the like stand for any GPU of that size."""
    return tuple(named_hardware.table()["machines"])


@dataclass(frozen=True)
class Choice:
    """The model that was found; or none, with the reason in words. The verdicts stand in the ladder's order."""

    recommendation: Recommendation
    selection: Selection | None
    verdicts: tuple[Verdict, ...]
    message: str = ""
    hint: str = ""


@dataclass
class Asked:
    """Options as the stages take them, with the names of what is in them."""

    options: Options
    train: Source
    test: Source | None
    names: Names = field(repr=False)


class Looking:
    """The calls of the service that only look; `token` is the visitor's own, and None is no token."""

    def __init__(self, root: Path, settings: Settings, uploads: Uploads, endpoint: str):
        self._root, self.settings, self._uploads, self.endpoint = root, settings, uploads, endpoint
        self._profiles: Memory[Profile] = Memory(_PROFILES)
        self._machine: Memory[Hardware] = Memory(1)
        self._room = threading.BoundedSemaphore(_READERS)

    def profile(self, visitor: Visitor, options: Options, token: str | None = None) -> Profile:
        """What the data hold. Read once for the same content, whoever asks.

        Raises:
            DataError: the data cannot be read, or are not this visitor's.
            HubError: a dataset is missing, or this token may not read it.
        """
        asked, hub = self._asked(visitor, options), self._hub(token)
        with asked.names.told():
            return asked.names.record(self._profile(asked, hub))

    def recommend(self, visitor: Visitor, options: Options, token: str | None = None) -> Recommendation:
        """The model that the rules pick for the data, before it is asked whether it may be used."""
        asked, hub = self._asked(visitor, options), self._hub(token)
        with asked.names.told():
            return asked.names.record(tk.recommend(self._profile(asked, hub), options.description))

    def select(self, visitor: Visitor, options: Options, token: str | None = None) -> Choice:
        """The first model down the ladder that may be used here, with this token; that there is none is an answer.

        Raises:
            HubUnreachable: the Hub gave no answer, which says nothing of a model.
            DataError: the license of the data rules out this use.
        """
        asked, hub = self._asked(visitor, options), self._hub(token)
        with asked.names.told():
            picked = tk.recommend(self._profile(asked, hub), options.description)
            shown = asked.names.record(picked)
            try:
                found = self._select(asked, picked, hub)
            except NoUsableModel as error:
                message, hint = asked.names.plain(error.message), asked.names.plain(error.hint)
                return Choice(shown, None, tuple(error.verdicts), message, hint)
            return Choice(shown, found.but(recommendation=shown), found.verdicts)

    def check(
        self, visitor: Visitor, models: Sequence[str], options: Options | None = None, token: str | None = None
    ) -> tuple[Verdict, ...]:
        """What all checks say of some models, for these data or for any."""
        hub = self._hub(token)
        if options is None:
            return selection.check(models, selection.request_for(self._hardware(None)), hub)
        asked = self._asked(visitor, options)
        with asked.names.told():
            picked = tk.recommend(self._profile(asked, hub), options.description)
            wishes = _wishes(asked.options)
            request = selection.request_of(picked, self._hardware(options.hardware), hub, wishes)
            return selection.check(models, request, hub)

    def plan(self, visitor: Visitor, options: Options, token: str | None = None) -> Plan:
        """Every setting of the training, with memory, time and cost.

        Raises:
            NoUsableModel: there is nothing to plan with; its `verdicts` say why.
        """
        asked, hub = self._asked(visitor, options), self._hub(token)
        with asked.names.told():
            return asked.names.record(self._plan(asked, hub))

    def rehearse(self, visitor: Visitor, options: Options, token: str | None = None) -> Rehearsal:
        """The publish to `options.push_to`, tried before there is a model.

        Raises:
            HubError: it cannot be written there.
            PublishError: the name or the card is refused.
        """
        asked, hub = self._asked(visitor, options), self._hub(token)
        with asked.names.told():
            target = _target(options)
            return publication.rehearse(self._plan(asked, hub), target, options.publishing, hub=hub)

    def card_draft(self, visitor: Visitor, options: Options, token: str | None = None) -> str:
        """The model card as far as it can be written before training."""
        asked, hub = self._asked(visitor, options), self._hub(token)
        with asked.names.told():
            plan = asked.names.record(self._plan(asked, hub))
            return card.rehearsal(plan, options.push_to or f"{visitor.name}/model", weights=options.weights)

    def _hub(self, token: str | None) -> Hub:
        return Hub(token or False, self.endpoint)

    def _asked(self, visitor: Visitor, options: Options) -> Asked:
        """The options with this visitor's data in them, within the limits.

        Raises:
            DataError, UsageError: data or options that are not this visitor's to name, or a limit that is met.
        """
        defaults = Options(source="")
        not_theirs = [name for name in _OWNERS if getattr(options, name) != getattr(defaults, name)]
        if not_theirs:
            raise UsageError(f"`{not_theirs[0]}` cannot be set here", "leave it out")
        train = self._uploads.source(visitor, options.source)
        test = self._uploads.source(visitor, options.test_file) if options.test_file else None
        limit = self.settings.max_time
        if options.max_time and options.max_time > limit:
            raise UsageError(
                f"a run may take {units.duration(limit)} here, not {units.duration(options.max_time)}",
                "ask for less time; or train on your own machine",
            )
        given = {one.path: one.name for one in (train, test) if one}
        inside = options.but(source=train.path, test_file=test and test.path, max_time=options.max_time or limit)
        return Asked(inside, train, test, names_of(given, self._root))

    def _profile(self, asked: Asked, hub: Hub) -> Profile:
        """The profile, with the paths of these very files."""
        both = [one for one in (asked.train, asked.test) if one]
        for one in both:
            if one.sha256 is None and (dataset := dataset_ids.parse(one.path)):
                hub_spaces.check_dataset(hub, dataset)
        wanted = asked.options
        columns = tuple(sorted(wanted.columns.items()))
        key = (*((one.name, one.sha256) for one in both), wanted.task, columns, wanted.max_rows)
        lifetime = None if all(one.sha256 for one in both) else _FRESH
        found = self._profiles.get(key, lambda: self._look(asked, hub), lifetime)
        test = found.test and found.test.but(source=asked.test.path if asked.test else asked.train.path)
        return found.but(data=found.data.but(source=asked.train.path), test=test)

    def _look(self, asked: Asked, hub: Hub) -> Profile:
        wanted, limits = asked.options, self.settings
        with self._room:
            for one in (asked.train, asked.test):
                if one and one.sha256 is None and (dataset := dataset_ids.parse(one.path)):
                    measuring.refuse_large_dataset(hub, dataset, limits.max_upload, limits.max_unpacked)
            given = {name: getattr(wanted, name) for name in ("task", "columns", "max_rows", "test_file")}
            return tk.profile(wanted.source, hub=hub, **given)

    def _select(self, asked: Asked, picked: Recommendation, hub: Hub) -> Selection:
        machine = self._hardware(asked.options.hardware)
        return tk.select(picked, hardware=machine, hub=hub, **_wishes(asked.options))

    def _plan(self, asked: Asked, hub: Hub) -> Plan:
        picked = tk.recommend(self._profile(asked, hub), asked.options.description)
        chosen = self._select(asked, picked, hub)
        return tk.plan(chosen, seed=asked.options.seed, hub=hub, **asked.options.settings)

    def _hardware(self, name: str | None) -> Hardware:
        named = named_hardware.chosen(name)
        return named or self._machine.get("here", hardware.detect, _MACHINE)

    def _refuse_many_rows(self, asked: Asked, hub: Hub) -> None:
        """That a run trains on no more rows than the limit."""
        rows, limit = self._profile(asked, hub).used_rows, self.settings.max_rows
        if rows > limit:
            raise DataError(
                f"the data have {rows:,} rows, and a run trains on at most {limit:,} here",
                f"use some of them, evenly spread: set the most rows to {limit:,} or less",
            )


def _wishes(options: Options) -> selection.Wishes:
    return {
        "use": options.use,
        "model": options.model,
        "accepted_licenses": options.accepted_licenses,
        "dataset_license": options.dataset_license,
        "max_time": options.max_time,
        "explore": options.explore,
    }


def _target(options: Options) -> str:
    if not options.push_to:
        raise AccessDenied("no repository is named", "say where the model is to go, as `name/repo`")
    return options.push_to
