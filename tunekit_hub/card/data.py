"""What a model card says of the data: counts, languages, columns, and names only where they may be told."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from tunekit_hub import units, wording
from tunekit_hub.card.markup import Raw, code, escape, one_line
from tunekit_hub.records import DataRef, Evaluation, Note, Plan, Profile

LABELS = 20  # named in a list
COLUMNS = 5  # told what they were read as
_LONGEST_NAME = 80  # characters of a label or file name
_LANGUAGES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def languages(profile: Profile) -> str:
    """`English and German`; empty where none was recognised."""
    return listed([_LANGUAGES.get(found, found) for found in profile.languages if found != "und"])


def texts(plan: Plan) -> str:
    """The language, the domain and the length of what it learned from."""
    profile, tokens = plan.selection.recommendation.profile, plan.tokens
    spoken = languages(profile) or "Its language was not recognised"
    domain = f", {profile.domain}" if profile.domain else ""
    return f"{spoken}{domain}; 95 % of the rows have up to {units.count(tokens.p95)} tokens."


def labels(profile: Profile) -> Raw:
    """The most frequent labels, as code, and how many more there are."""
    shown = [code(one_line(label, _LONGEST_NAME)) for label in list(profile.labels)[:LABELS]]
    more = len(profile.labels) - len(shown)
    return Raw(", ".join(shown) + (f" and {more:,} more" if more else ""))


def data_name(ref: DataRef) -> str:
    """A file's name, a public dataset's id; of another dataset only that there is one."""
    if ref.revision is None:
        return one_line(wording.file_name(ref.source), _LONGEST_NAME)
    return ref.repo_id if ref.public and ref.repo_id else "a dataset that is not public"


def data(ref: DataRef) -> Raw:
    """Where rows come from, as much of it as others may know."""
    if ref.revision is None:
        kind = "folder" if ref.format == "folder" else "file"
        return Raw(f"the local {kind} {code(data_name(ref))}")
    if not ref.public or not ref.repo_id:
        return Raw("a Hub dataset that is not named here, as it is not known to be public")
    part = "" if ref.source == ref.repo_id else f" (as {code(ref.source)})"
    address = f"/datasets/{quote(ref.repo_id)}/tree/{quote(ref.revision)}"
    return Raw(f"the Hub dataset [{escape(ref.repo_id)}]({address}){part}")


def scored(record: Evaluation) -> Raw:
    """Which rows were scored."""
    profile = record.training.plan.selection.recommendation.profile
    rows = f"{units.count(record.rows)} {'row' if record.rows == 1 else 'rows'}"
    if profile.test and profile.test.source != profile.data.source:
        return Raw(f"{rows} of {data(profile.test)}")
    return Raw(f"{rows} of its own test part" if profile.test else f"{rows} that were held out")


def parts(plan: Plan) -> str:
    """`480 to train on, 67 to validate on, 96 to measure on`."""
    shares = {"train": plan.train_rows, "validate": plan.validation_rows, "measure": plan.eval_rows}
    return ", ".join(f"{units.count(rows)} to {what} on" for what, rows in shares.items() if rows)


def columns(profile: Profile) -> Raw:
    """Which column was read as what; of many, the first few."""
    roles = profile.columns.items()
    read = [f"{code(column)} as {escape(role)}" if role != column else code(column) for role, column in roles]
    more = len(read) - COLUMNS
    return Raw(", ".join(read[:COLUMNS]) + (f" and {more:,} more" if more > 0 else ""))


def counted(profile: Profile) -> str:
    """What the task counts, but for the labels, which have a line of their own."""
    return wording.counted({name: number for name, number in profile.counts.items() if name != "labels"})


def note(found: Note) -> str:
    """A note on the data, with its count."""
    if not found.count or f"{found.count:,} " in found.message:
        return found.message
    return f"{units.count(found.count)} × {found.message}"


def listed(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = [*parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last
