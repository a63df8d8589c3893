"""Records and errors as visitors see them: with the names they gave their data, and no path of this machine."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tunekit_hub import runfile
from tunekit_hub.errors import TunekitError
from tunekit_hub.facts import Record
from tunekit_hub.records import Profile, TrainResult

AnyRecord = TypeVar("AnyRecord", bound=Record)
# Commands of the terminal in hints, and what the same is called in a browser.
_COMMANDS = (
    (re.compile(r"`tunekit-hub (?:resume|evaluate|train) [^`]*`"), "resume the run"),
    (re.compile(r"`tunekit-hub publish [^`]*`"), "publish the run"),
    (re.compile(r"`tunekit-hub runs`"), "your list of runs"),
)


class Names:
    """Paths of this machine, and what stands for them.

    Args:
        paths: path → name. The longest are replaced first.
    """

    def __init__(self, paths: Mapping[str, str]):
        self._paths = dict(sorted(paths.items(), key=lambda pair: -len(pair[0])))

    def plain(self, text: str) -> str:
        """A text without the paths, and with words for commands."""
        for path, name in self._paths.items():
            text = text.replace(path, name)
        for command, words in _COMMANDS:
            text = command.sub(words, text)
        return text

    def values(self, value: Any) -> Any:
        """The same in JSON values."""
        if isinstance(value, str):
            return self.plain(value)
        if isinstance(value, dict):
            return {key: self.values(one) for key, one in value.items()}
        return [self.values(one) for one in value] if isinstance(value, list) else value

    def record(self, record: AnyRecord) -> AnyRecord:
        """A stage's record, with those it was made from, whose data have their names."""
        if isinstance(record, Profile):
            test = record.test
            data = record.data.but(source=self.plain(record.data.source))
            return record.but(data=data, test=test and test.but(source=self.plain(test.source)))
        before = next(field for kind, field in runfile.CHAIN.values() if isinstance(record, kind))
        assert before is not None
        changes: dict[str, Any] = {before: self.record(getattr(record, before))}
        return record.but(**changes | ({"run_dir": ""} if isinstance(record, TrainResult) else {}))

    def run(self, run: runfile.Run) -> runfile.Run:
        """A run, its options and its error with it."""
        given = run.options
        options = given.but(
            source=self.plain(given.source), test_file=given.test_file and self.plain(given.test_file)
        )
        error = run.error and run.error.but(message=self.plain(run.error.message), hint=self.plain(run.error.hint))
        return run.but(options=options, error=error, record=run.record and self.record(run.record))

    @contextmanager
    def told(self) -> Generator[None]:
        """Errors raised in here have no paths in them."""
        try:
            yield
        except TunekitError as error:
            error.message, error.hint = self.plain(error.message), self.plain(error.hint)
            error.args = (error.message,)
            raise


def names_of(sources: Mapping[str, str], root: Path, folder: Path | None = None) -> Names:
    """The names of data, of a run's folder, and of the service's own folder."""
    own = {str(root.resolve()): "this Space"}
    return Names(
        {**own, **({str(folder.resolve()): "the run", str(folder): "the run"} if folder else {}), **sources}
    )
