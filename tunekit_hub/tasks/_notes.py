"""What there is to say about the rows of instruction data, by kind, with counts and line numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tunekit_hub.errors import DataError
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.tasks._chat import REASONS, Turn, Unusable, alternates
from tunekit_hub.text import count_rows, name_lines, quote


class Notes:
    """Collects what there is to say about rows, by kind."""

    def __init__(self) -> None:
        self.lines: defaultdict[str, list[int]] = defaultdict(list)
        self.roles: Counter[str] = Counter()

    def unusable(self, why: Unusable, line: int) -> None:
        """A row that is left out."""
        self.lines[why.code].append(line)
        self.roles.update(why.roles)

    def used(self, turns: Sequence[Turn], conversation: Sequence[Turn], line: int) -> None:
        """A row that is trained on, as it was and as it is used."""
        if turns[-1] is not conversation[-1]:
            self.lines["trailing-turns"].append(line)
        if not alternates(conversation):
            self.lines["turn-order"].append(line)

    def all(self) -> list[Note]:
        """One note per kind, the most frequent first."""
        return [
            note(code, self._message(code), lines)
            for code, lines in sorted(self.lines.items(), key=lambda item: -len(item[1]))
        ]

    def nothing_left(self, source: str, total: int) -> DataError:
        """What to raise when no row can be trained on."""
        reasons = sorted(self.lines.items(), key=lambda item: -len(item[1]))
        said = "; ".join(f"{self._why(code)} ({name_lines(lines)})" for code, lines in reasons[:3])
        which = "the only row" if total == 1 else f"none of the {count_rows(total)}"
        message = f"{which} of `{source}` {'cannot' if total == 1 else 'can'} be trained on: {said}"
        return DataError(message, REASONS[reasons[0][0]].fix)

    def _message(self, code: str) -> str:
        rows = count_rows(len(self.lines[code]))
        if code == "trailing-turns":
            return f"{rows} used without the turns after the last answer"
        if code == "turn-order":
            return f"{rows} in which user and assistant do not alternate; some chat templates refuse such rows"
        return f"{rows} not used: {self._why(code)}"

    def _why(self, code: str) -> str:
        found = f" ({quote(role for role, _ in self.roles.most_common(5))})" if code == "unknown-role" else ""
        return REASONS[code].why + found
