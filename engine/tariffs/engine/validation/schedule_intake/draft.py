"""Write a draft of law data from two releases of the schedule: announced measures, questions, and lists of changes.

The schedule says what a heading charges, never since when by law or on which goods before which other duty: a person
reads the act, completes the draft and signs the pack (`tariffs law build DIR/law --sign KEY`).
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tariffs.engine.law.files import HERE
from tariffs.engine.law.law import Law
from tariffs.engine.validation.schedule_intake.law_comparison import (
    AGREES,
    IntakeFinding,
    LawHeadings,
    dotted,
    heading_findings,
    line_findings,
    percent,
)
from tariffs.engine.validation.schedule_intake.releases import (
    CARRIED,
    Carried,
    Release,
    carried_codes,
    heading_changes,
    line_changes,
)

_UNREAD = "U"
_ANY_AUTHORITY = "base"


@dataclass(frozen=True)
class Intake:
    """Changes of a release beside the law of a day.

    Attributes:
        old, new: names of the releases.
        day: the day of the law.
        headings, lines: findings, by code.
        codes: statistical codes that ended, with those that took their goods.
        authorities: authority of the law's headings next to each heading that the law does not have.
    """

    old: str
    new: str
    day: date
    headings: Sequence[IntakeFinding]
    lines: Sequence[IntakeFinding]
    codes: Sequence[Carried]
    authorities: dict[str, str]

    @property
    def questions(self) -> list[str]:
        """List what a person has to settle: provisions with one verdict are one question."""
        asked: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in (*self.headings, *self.lines):
            if one.verdict != AGREES:
                asked[one.change.kind, one.verdict].append(dotted(one.change.code))
        codes = [
            f"{dotted(one.code)} ended ({one.how}): which of {', '.join(map(dotted, one.to)) or 'the other codes'} "
            "has its goods?"
            for one in self.codes
            if one.how != CARRIED
        ]
        return [
            *(f"{', '.join(named)} ({kind}): {verdict}." for (kind, verdict), named in asked.items()),
            *codes,
        ]

    def to_dict(self) -> dict[str, Any]:
        """Convert the intake to JSON."""
        return {
            "old": self.old,
            "new": self.new,
            "on": self.day.isoformat(),
            "headings": [_finding(one) for one in self.headings],
            "lines": [_finding(one) for one in self.lines],
            "codes": [one._asdict() for one in self.codes],
            "questions": self.questions,
        }


def take_in(old: Release, new: Release, law: Law, day: date) -> Intake:
    """Compare two releases with each other and with the law of a day."""
    headings = LawHeadings(law, day)
    found = heading_findings(heading_changes(old, new), headings)
    unknown = (dotted(one.change.code) for one in found)
    return Intake(
        old.name, new.name, day, found, line_findings(line_changes(old, new), day), carried_codes(old, new),
        {heading: headings.authority_near(heading) for heading in unknown if heading not in headings.ever},
    )  # fmt: skip


def write_draft(intake: Intake, directory: Path) -> None:
    """Write the draft into a new folder.

    `law/` is the law data with a file of announced measures, one for each heading that the law does not have;
    `QUESTIONS.md` lists what a person has to settle, and headings.csv, lines.csv and codes.csv what changed.

    Raises:
        FileExistsError: the folder is there.
    """
    directory.mkdir(parents=True)
    shutil.copytree(HERE, directory / "law", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    measures = [
        _measure(one, intake) for one in intake.headings if dotted(one.change.code) in intake.authorities
    ]
    text = yaml.safe_dump({"measures": [one for one in measures if one]}, sort_keys=False, width=120)
    head = f"# DRAFT from {intake.new}: read each act, give its goods, first day and order, or take the measure out.\n"
    (directory / "law" / "measures" / "intake.yaml").write_text(head + text, encoding="utf-8")
    asked = "".join(f"- [ ] {question}\n" for question in intake.questions)
    title = f"# Open questions of {intake.new}, compared with {intake.old} and the law of {intake.day}\n\n"
    (directory / "QUESTIONS.md").write_text(title + asked, encoding="utf-8")
    for name in ("headings", "lines"):
        _write(directory / f"{name}.csv", [_finding(one) for one in getattr(intake, name)])
    codes = [{"code": one.code, "to": " ".join(one.to), "how": one.how} for one in intake.codes]
    _write(directory / "codes.csv", codes)


def _measure(finding: IntakeFinding, intake: Intake) -> dict[str, Any] | None:
    change = finding.change
    if change.after is None or change.after.status:
        return None
    heading = dotted(change.code)
    return {
        "id": f"heading_{change.code}",
        "title": f"Heading {heading}, to be read",
        "authority": intake.authorities[heading] or _ANY_AUTHORITY,
        "status": "announced",
        "cite": [f"heading {heading} of {intake.new}"],
        "conf": _UNREAD,
        "note": f"general rate: {change.after.general or 'none stated'}; which goods, from when by law, and before or "
        "after which other duty are open",
    }


def _finding(finding: IntakeFinding) -> dict[str, Any]:
    change = finding.change
    return {
        "code": dotted(change.code),
        "change": change.kind,
        "before": change.before.general if change.before else None,
        "after": change.after.general if change.after else None,
        "to": " ".join(map(dotted, change.to)),
        "law": "; ".join(f"{one.measure} {' '.join(map(percent, one.rates))}" for one in finding.law),
        "verdict": finding.verdict,
    }


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["code"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
