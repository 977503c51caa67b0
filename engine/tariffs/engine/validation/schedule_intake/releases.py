"""Compare two releases of the tariff schedule: headings of chapters 98 and 99, lines, and statistical codes.

A release is an export of the USITC as JSON or CSV. Its texts stay in the caller's files: they are compared, never kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tariffs.engine.errors import InputError
from tariffs.engine.schedule.usitc_export import CODE_DIGITS, LAST_CHAPTER, LINE_DIGITS, read_rows

SUBHEADING_DIGITS = 6
ADDED, ENDED, RATED, REWORDED, RESUMED, MOVED = "added", "ended", "re-rated", "reworded", "resumed", "moved"
CARRIED, SPLIT, MERGED, OPEN = "carried", "split", "merged", "open"
_STATUS = re.compile(
    r"compiler'?.?s note:[^\]]*?\b(suspended|terminated|expired|deleted|rescinded)\b", re.IGNORECASE
)
_MARKUP = re.compile(r"<[^>]+>|\s+")


class Provision(NamedTuple):
    """Row of a release: rate texts in one form, and the status that a note of the compiler gives it, or nothing."""

    code: str
    general: str
    special: str
    other: str
    status: str
    text: str

    @property
    def rates(self) -> tuple[str, str, str]:
        """The three rate texts."""
        return self.general, self.special, self.other


@dataclass(frozen=True)
class Release:
    """Release of the schedule by the name of its file.

    Attributes:
        headings: provisions of chapters 98 and 99 by code.
        lines: goods of chapters 1 to 97 by their 8 digits.
        codes: statistical codes of 10 digits of these.
    """

    name: str
    headings: Mapping[str, Provision]
    lines: Mapping[str, Provision]
    codes: Mapping[str, Provision]


class ProvisionChange(NamedTuple):
    """Change of a provision between two releases; `to` are the lines that a line may have moved to."""

    code: str
    kind: str
    before: Provision | None
    after: Provision | None
    to: tuple[str, ...] = ()


class Carried(NamedTuple):
    """A code that ended, the codes that may have taken its goods, and how: carried, split, merged or open."""

    code: str
    to: tuple[str, ...]
    how: str


def read_release(path: Path) -> Release:
    """Read a release.

    Raises:
        InputError: TABLE_UNREADABLE if the file is no export of the schedule.
    """
    try:
        rows = [_provision(row) for row in read_rows(path) if len(row["code"]) in (LINE_DIGITS, CODE_DIGITS)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "TABLE_UNREADABLE",
            f"{path.name} is no export of the tariff schedule: {error}.",
            field="release",
            fix="Give the JSON or CSV export of a revision, as hts.usitc.gov offers it.",
        ) from None
    headings = {row.code: row for row in rows if row.code[:2] > LAST_CHAPTER and len(row.code) == LINE_DIGITS}
    goods = [row for row in rows if row.code[:2] <= LAST_CHAPTER]
    lines: dict[str, Provision] = {}
    for row in goods:
        lines.setdefault(row.code[:LINE_DIGITS], row._replace(code=row.code[:LINE_DIGITS]))
    return Release(
        path.stem, headings, lines, {row.code: row for row in goods if len(row.code) == CODE_DIGITS}
    )


def heading_changes(old: Release, new: Release) -> list[ProvisionChange]:
    """List the changes of headings of chapters 98 and 99 by code."""
    return list(_changes(old.headings, new.headings))


def line_changes(old: Release, new: Release) -> list[ProvisionChange]:
    """List the changes of lines; one that ended has those that came in its subheading with the same general rate."""
    found = [change for change in _changes(old.lines, new.lines) if change.kind != REWORDED]
    came = defaultdict(list)
    for change in found:
        if change.kind == ADDED and change.after:
            came[change.code[:SUBHEADING_DIGITS], change.after.general].append(change.code)
    return [_moved(change, came) for change in found]


def carried_codes(old: Release, new: Release) -> list[Carried]:
    """Find the codes that took the goods of those that ended, within the line, else within the subheading.

    A code is carried to the only one that came, or to the one with its text; it is split if several came, merged if
    several ended, else open: a person decides.
    """
    ended, came = sorted(old.codes.keys() - new.codes.keys()), sorted(new.codes.keys() - old.codes.keys())
    return [_successors(code, ended, came, old, new) for code in ended]


def _successors(code: str, ended: Iterable[str], came: Iterable[str], old: Release, new: Release) -> Carried:
    for digits in (LINE_DIGITS, SUBHEADING_DIGITS):
        near = tuple(one for one in came if one[:digits] == code[:digits])
        if near:
            alike = tuple(one for one in near if new.codes[one].text == old.codes[code].text)
            gone = sum(one[:digits] == code[:digits] for one in ended)
            if len(alike) == 1:
                return Carried(code, alike, CARRIED)
            if len(near) == 1:
                return Carried(code, near, CARRIED if gone == 1 else MERGED)
            return Carried(code, near, SPLIT if gone == 1 else OPEN)
    return Carried(code, (), OPEN)


def _changes(old: Mapping[str, Provision], new: Mapping[str, Provision]) -> Iterator[ProvisionChange]:
    for code in sorted(old.keys() | new.keys()):
        before, after = old.get(code), new.get(code)
        kind = _kind(before, after)
        if kind:
            yield ProvisionChange(code, kind, before, after)


def _kind(before: Provision | None, after: Provision | None) -> str:
    if before is None or after is None:
        return ADDED if before is None else ENDED
    if before.status != after.status:
        return after.status or RESUMED
    if before.rates != after.rates:
        return RATED
    return REWORDED if before.text != after.text else ""


def _moved(change: ProvisionChange, came: Mapping[tuple[str, str], list[str]]) -> ProvisionChange:
    if change.kind != ENDED or change.before is None:
        return change
    to = tuple(came.get((change.code[:SUBHEADING_DIGITS], change.before.general), ()))
    return change._replace(kind=MOVED, to=to) if to else change


def _provision(row: Mapping[str, str]) -> Provision:
    text = _MARKUP.sub(" ", row["text"]).strip()
    status = _STATUS.search(text)
    general, special, other = (_rate_text(row[name]) for name in ("general", "special", "other"))
    return Provision(row["code"], general, special, other, status[1].lower() if status else "", text)


def _rate_text(text: str) -> str:
    """Write a rate text in one form: spaces, the plus sign and a last period differ from release to release."""
    return " + ".join(_MARKUP.sub(" ", text).strip().rstrip(".").split("+")).replace("  ", " ").strip()
