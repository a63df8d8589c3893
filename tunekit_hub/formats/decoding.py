"""Bytes → lines of text: gzip, byte-order marks, UTF-16, Windows-1252, line ends.

A file is looked at once as a whole before it is read: what its bytes mean is not known before the last one.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from tunekit_hub.errors import DataError
from tunekit_hub.formats.binary import refuse_binary
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.text import name_lines

GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
# UTF-32 before UTF-16: its mark begins with the other's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = (
    bytes({*range(32)} - {*b"\t\n\r\f\v\0\x1b"}) + b"\x81\x8d\x8f\x90\x9d"
)  # the last mean nothing in cp1252
_MOST_NULS = 0.02  # of the characters
_MOST_FOREIGN = 0.3  # of the bytes of such lines: Western text has fewer, Cyrillic or Chinese nearly only these


@dataclass(frozen=True)
class TextFile:
    """A file of text, and how its bytes are to be read."""

    path: Path
    encoding: str  # "" where some lines are UTF-8 and others Windows-1252
    line_end: str  # what ends a line: `\n`, or `\r` in files of old Macs
    carriage: bool  # some lines end in `\r\n`
    quotes: bool  # it has double quotes
    nuls: bool
    notes: tuple[Note, ...]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def lines(self, *, own_ends: bool = False) -> Iterator[str]:
        r"""Each line. Ends are `\n`, whatever the file has.

        Only line feeds end a line: `str.splitlines` would also break at characters that chats do contain.

        Args:
            own_ends: Leave the ends as they are, for readers that know all of them.
        """
        lines = self._decoded()
        if self.nuls:
            lines = (line.replace("\0", "") for line in lines)
        if own_ends:
            return lines
        if self.line_end == "\r":
            return (f"{line[:-1]}\n" if line.endswith("\r") else line for line in lines)
        if self.carriage:
            return (f"{line[:-2]}\n" if line.endswith("\r\n") else line for line in lines)
        return lines

    def _decoded(self) -> Iterator[str]:
        with open_bytes(self.path) as file:
            if self.encoding:
                with io.TextIOWrapper(file, encoding=self.encoding, newline=self.line_end) as lines:
                    yield from lines
            else:
                yield from (_decode_line(line)[0] for line in file)


@contextmanager
def open_bytes(path: Path) -> Generator[IO[bytes]]:
    """The bytes of a file, unpacked where they are gzip, whatever its name.

    Raises:
        DataError: It may not be read, or the gzip stream is damaged.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == GZIP
            raw.seek(0)
            opened: Any = gzip.GzipFile(fileobj=raw) if packed else raw
            with opened:
                yield opened
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        problem = "it ends too early" if isinstance(error, EOFError) else "its content does not fit its checksum"
        raise DataError(f"`{path.name}` is a damaged gzip file: {problem}", "fetch or pack it again") from error
    except OSError as error:
        message = f"`{path}` cannot be read: {error.strerror or error}"
        raise DataError(message, "check its permissions") from error


def look(path: Path) -> TextFile:
    """How a file of text is to be read.

    Raises:
        DataError: It is not text, or text in an encoding that cannot be told.
    """
    with open_bytes(path) as file:
        start = file.read(_CHUNK)
        refuse_binary(path, start)
        mark = next((codec for mark, codec in _MARKS if start.startswith(mark)), None)
        try:
            counts = _count(start, file, mark or "utf-8")
        except UnicodeDecodeError as error:
            if mark:
                message = f"`{path.name}` begins with the mark of {mark.upper()} and is not: {error.reason}"
                raise DataError(message, "save it as UTF-8") from error
            counts = None
    if counts is None:
        return _mixed(path)
    if counts["\0"] > _MOST_NULS * counts["all"]:
        message = f"`{path.name}` is not UTF-8: it looks like UTF-16 without a byte-order mark, or no text at all"
        raise DataError(message, "save it as UTF-8")
    line_end = "\r" if counts["\r"] and not counts["\n"] else "\n"
    made = TextFile(path, mark or "utf-8", line_end, bool(counts["\r"]), bool(counts['"']), bool(counts["\0"]), ())
    return _with_nuls_noted(made)


def _count(start: bytes, file: IO[bytes], codec: str) -> dict[str, int]:
    """How often some characters occur; decodes every byte."""
    counts = dict.fromkeys('\r\n\0"', 0) | {"all": 0}
    decoder = codecs.getincrementaldecoder(codec)("strict")
    chunk = start
    while True:
        text = decoder.decode(chunk, final=not chunk)
        for character in '\r\n\0"':
            counts[character] += text.count(character)
        counts["all"] += len(text)
        if not chunk:
            return counts
        chunk = file.read(_CHUNK)


def _decode_line(line: bytes) -> tuple[str, bool]:
    """A line as UTF-8 if it is that, else as Windows-1252; and whether it was UTF-8."""
    try:
        return line.decode("utf-8"), True
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace"), False


def _mixed(path: Path) -> TextFile:
    """A file with lines that are not UTF-8. Line by line, because programs do mix them.

    Raises:
        DataError: What is not UTF-8 is not Windows-1252 either.
    """
    foreign: list[int] = []
    high = total = nuls = 0
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            nuls += line.count(b"\0")
            if _decode_line(line)[1]:
                continue
            foreign.append(number)
            high += len(line) - len(line.translate(None, bytes(range(128, 256))))
            total += len(line.strip())
            if len(line.translate(None, _CONTROL)) < len(line):
                raise _unknown_encoding(path, number)
    if high > max(_MOST_FOREIGN * total, 2) or nuls:
        raise _unknown_encoding(path, foreign[0])
    count = f"{len(foreign):,} lines are" if len(foreign) > 1 else "one line is"
    message = (
        f"{count} not UTF-8 and read as Windows-1252; look whether the accents on {name_lines(foreign)} are right"
    )
    return TextFile(path, "", "\n", True, True, False, (note("encoding", message, foreign),))


def _unknown_encoding(path: Path, line: int) -> DataError:
    return DataError(
        f"`{path.name}` is not UTF-8 from line {line} on, and does not read as Windows-1252 text either",
        f"save it as UTF-8: `iconv -f ENCODING -t UTF-8 {path.name} > new-{path.name}`",
    )


def _with_nuls_noted(text: TextFile) -> TextFile:
    if not text.nuls:
        return text
    lines = [number for number, line in enumerate(text._decoded(), 1) if "\0" in line]
    message = f"NUL characters are left out of {name_lines(lines)}; they carry no text"
    return replace(text, notes=(note("nul-characters", message, lines),))
