"""Check a folder of law data or a law pack, and list every finding with its file, path and fix (`tariffs law lint`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tariffs.engine.errors import TariffsError
from tariffs.engine.law.checks import RULES
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.documents import LawFiles, document_faults
from tariffs.engine.law.files import HERE, DirectoryFiles, raw_of
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.loader import file_of, law_faults, message_of
from tariffs.engine.law.pack.read import open_pack
from tariffs.engine.law.row_checks import Names

RETROACTIVE_DAYS = 60
"""An act published later than this many days after its effect needs a note; most such dates are mistyped."""
_FORM = "See docs/law-data.md for the form of the files."


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with law data; `path` is the place in the file, such as `measures.fent_cn.periods[0]`."""

    file: str
    path: str
    message: str
    fix: str

    def to_dict(self) -> dict[str, str]:
        """The finding as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Lint:
    """Findings of a folder; `measures` and `rows` count what was read, 0 if the files could not be read."""

    directory: str
    findings: tuple[Finding, ...]
    measures: int = 0
    rows: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON has it."""
        findings = [finding.to_dict() for finding in self.findings]
        return {
            "directory": self.directory,
            "measures": self.measures,
            "rows": self.rows,
            "findings": findings,
        }


def lint_law(place: str = "") -> Lint:
    """Check the law data of a folder or a law pack; empty is that of this installation.

    Raises:
        LawError: LAW_PACK_INVALID for a file that is no law pack.
    """
    path = Path(place) if place else HERE
    return lint_files(open_pack(path).files if path.is_file() else DirectoryFiles(path), path)


def lint_files(law_files: LawFiles, place: Path) -> Lint:
    """Check the files of a law; `place` is the folder or pack that they are in."""
    try:
        raw = raw_of(law_files)
        law, faults = law_faults(raw)
    except (OSError, yaml.YAMLError) as error:
        return Lint(str(place), (_unreadable(error, place),))
    except TariffsError as error:
        return Lint(str(place), (_of_reading(error),))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"the files do not have the form of law data: {type(error).__name__}: {error}"
        return Lint(str(place), (Finding("", "", message, _FORM),))
    files: Mapping[str, str] = raw["files"]
    findings = [_of_error(error, files) for error in faults]
    findings += _of_files(raw)
    findings += (Finding(*found) for found in document_faults(law_files))
    if law is None:
        return Lint(str(place), tuple(findings))
    findings += _of_rules(law, files)
    findings += _of_days(law, raw)
    rows = sum(len(period.rows) for measure in law.measures.values() for period in measure.periods)
    return Lint(str(place), tuple(findings), len(law.measures), rows)


def _unreadable(error: OSError | yaml.YAMLError, place: Path) -> Finding:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        message = f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
        return Finding(_below(mark.name, place), "", message, "Correct the YAML.")
    if isinstance(error, OSError):
        message = f"cannot be read: {error.strerror}"
        return Finding(
            _below(str(error.filename or place), place), "", message, "Copy the folder law/data whole."
        )
    return Finding("", "", str(error), "Correct the YAML.")


def _of_reading(error: TariffsError) -> Finding:
    """Make the finding of an error of reading; the path of a citation or a document begins with its file."""
    file, _, path = (error.field or "").rpartition(": ")
    return Finding(file, path, message_of(error), error.fix or _FORM)


def _below(name: str, place: Path) -> str:
    path = Path(name)
    return str(path.relative_to(place)) if path.is_relative_to(place) else name


def _of_error(error: TariffsError, files: Mapping[str, str]) -> Finding:
    path = error.field or ""
    return Finding(file_of(path, files), path, message_of(error), error.fix or _FORM)


def _of_rules(law: Law, files: Mapping[str, str]) -> Iterator[Finding]:
    for rule in RULES:
        for name, path in rule.names(law):
            yield Finding(file_of(path, files), path, f"{name} {rule.fault}", rule.fix)


def _of_files(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings that only the files show: unused row sets, and late publication without a note."""
    files = raw["files"]
    used = set(_used_row_sets([raw["measures"], raw["row_sets"]]))
    for name in sorted(raw["row_sets"].keys() - used):
        path = f"row_sets.{name}"
        yield Finding(file_of(path, files), path, f"{name} is used nowhere", "Use the row set, or remove it.")
    for measure in raw["measures"]:
        path = f"measures.{measure.get('id', '')}"
        for part in (*measure.get("periods", []), *measure.get("events", [])):
            days = _days_late(part)
            if days > RETROACTIVE_DAYS and "note" not in part:
                name = part.get("id") or f"{part.get('op')} {part.get('from') or part.get('at')}"
                message = f"{name} was published {days} days after it takes effect, and no note says why"
                yield Finding(
                    file_of(path, files), path, message, "Correct known_from or from, or add a note."
                )


def _of_days(law: Law, raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings of instants and days of publication as they are written."""
    for names, fault, fix in _DAYS:
        for name, path in names(raw, law):
            yield Finding(file_of(path, raw["files"]), path, f"{name} {fault}", fix)


def _days_late(part: Mapping[str, Any]) -> int:
    texts = (part.get("from") or part.get("at") or "", part.get("known_from") or "")
    try:
        start, known = (date.fromisoformat(text[: len("2025-01-01")]) for text in texts)
    except ValueError:
        return 0
    return (known - start).days


def _used_row_sets(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _used_row_sets(item)
    elif isinstance(value, Mapping):
        if isinstance(value.get("use"), str):
            yield value["use"]
        for item in value.values():
            yield from _used_row_sets(item)


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?[+-]\d\d:\d\d")
# "12:01 a.m." is 00:01; one minute after noon is most likely a misreading of it.
_AFTER_NOON = "T12:01"
_SHARED = ("row_sets", "groups", "events", "rules", "port_fees", "fees", "line_notes")


def wrong_offsets(raw: Mapping[str, Any], law: Law) -> Names:
    """Find instants whose offset is not that of their clock on that day."""
    for path, text, zones in _instants(raw, law):
        moment = datetime.fromisoformat(text)
        if all(moment.replace(tzinfo=zone).utcoffset() != moment.utcoffset() for zone in zones):
            yield text, path


def after_noon(raw: Mapping[str, Any], law: Law) -> Names:
    """Find instants of the home market at 12:01, where 12:01 a.m. may be meant."""
    home = law.zones[IMPORT]
    for path, text, zones in _instants(raw, law):
        if (
            _AFTER_NOON in text
            and datetime.fromisoformat(text).utcoffset() == _offset(text, home)
            and home in zones
        ):
            yield text, path


def _offset(text: str, zone: ZoneInfo) -> Any:
    return datetime.fromisoformat(text).replace(tzinfo=zone).utcoffset()


def _instants(raw: Mapping[str, Any], law: Law) -> Iterator[tuple[str, str, Sequence[ZoneInfo]]]:
    """Yield the instants of law data, each with its path and the clocks that it may be on."""
    for measure in raw["measures"]:
        name = measure.get("id", "")
        market = law.measures[name].market
        # A port fee or a control is on the clock of the country that has it, which is no market of goods.
        clocks = (
            (law.zones[market],) if market == IMPORT or market in law.markets else tuple(law.zones.values())
        )
        yield from ((path, text, clocks) for path, text in _texts(measure, f"measures.{name}"))
    for part in _SHARED:
        for path, text in _texts(raw.get(part, {}), part):
            yield path, text, tuple(law.zones.values())


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, f"{path}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, f"{path}[{index}]")
    elif isinstance(value, str):
        yield from ((path, text) for text in _INSTANT.findall(value))


def unpublished_rules(raw: Mapping[str, Any], law: Law) -> Names:
    """Find stacking rules that do not say when they were published."""
    for rule in raw.get("rules", ()):
        if "known_from" not in rule:
            yield rule.get("id", ""), f"rules.{rule.get('id', '')}"


def unpublished_lists(raw: Mapping[str, Any], law: Law) -> Names:
    """Find lists that change inside a period or an act that names them and do not say when that was published."""
    for name, product_list in law.lists.items():
        for at in product_list.boundaries:
            if at not in product_list.changes and any(start < at < end for start, end in _uses(law, name)):
                yield f"{name} on {at.astimezone(law.zones[IMPORT]).date()}", f"lists.{name}"


def _uses(law: Law, name: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield the instants between which periods and acts name a list."""
    first, last = law.coverage
    for measure in law.measures.values():
        for period in measure.periods:
            if any(name in row.scope.names for row in period.rows):
                yield period.start or first, period.end or last
        for act in law.acts[measure.id]:
            if name in act.scope.names:
                yield act.start or first, act.until or last


def unpublished_rows(raw: Mapping[str, Any], law: Law) -> Names:
    """Find rows that begin after their period and do not say when they were published."""
    for measure in law.measures.values():
        for period in measure.periods:
            for place, row in enumerate(period.rows):
                begins = [c.operand for c in row.conditions if c.claim == ENTRY_DATE and c.op in {">", ">="}]
                later = any(isinstance(at, datetime) and period.start and at > period.start for at in begins)
                if later and row.known_from is None:
                    name = f"row {place + 1} ({row.heading or row.kind}) of {period.id}"
                    yield name, f"measures.{measure.id}.{period.id}.rows"


_PUBLISHED = "Add known_from, the day of publication."
_LIST_CHANGE = "Add the day of the change with known_from to list_changes.yaml."
_DAYS = (
    (
        wrong_offsets,
        "has not the offset of its clock on that day",
        "Write the offset of summer or winter time.",
    ),
    (after_noon, "is a minute after noon", "Write T00:01 for 12:01 a.m."),
    (unpublished_rules, "does not say when it was published", _PUBLISHED),
    (unpublished_lists, "changes while in use and does not say when that was published", _LIST_CHANGE),
    (unpublished_rows, "begins after its period and does not say when it was published", _PUBLISHED),
)
