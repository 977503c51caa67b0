"""`tariffs law intake`: two small releases of the schedule, written here, beside the law of a day."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from tariffs.client.cli.app import run
from tariffs.client.errors import InvalidRequest
from tariffs.engine.errors import InputError
from tariffs.engine.law.lint import lint_law
from tariffs.engine.validation.schedule_intake.law_comparison import rate_of_text
from tariffs.engine.validation.schedule_intake.releases import carried_codes, line_changes, read_release

HEADS = (
    "HTS Number", "Indent", "Description", "Unit of Quantity", "General Rate of Duty", "Special Rate of Duty",
    "Column 2 Rate of Duty",
)  # fmt: skip
SUBHEADING = "The duty provided in the applicable subheading"
OLD = (
    ("0901.11.00", 0, "coffee", "", "Free", "", "Free"),
    ("0901.11.00.10", 1, "in sacks", '["kg"]', "", "", ""),
    ("0901.11.00.20", 1, "in tins", '["kg"]', "", "", ""),
    ("0901.21.00", 0, "roasted", "", "Free", "", "Free"),
    ("0901.21.00.10", 1, "beans", '["kg"]', "", "", ""),
    ("9503.00.00", 0, "toys", "", "Free", "", "70%"),
    ("9504.90.10", 0, "games", "", "4%", "", "40%"),
    ("9903.88.15", 0, "list 4A", "", f"{SUBHEADING} + 7.5%", "", "No change"),
    ("9903.88.16", 0, "list 4B", "", f"{SUBHEADING} + 15%", "", ""),
    ("9903.01.24", 0, "fentanyl", "", f"{SUBHEADING} +20%", "", ""),
)
NEW = (
    ("0901.11.00", 0, "coffee", "", "Free", "", "Free"),
    ("0901.11.00.15", 1, "in  sacks", '["kg"]', "", "", ""),
    ("0901.11.00.25", 1, "in drums", '["kg"]', "", "", ""),
    ("0901.11.00.35", 1, "other", '["kg"]', "", "", ""),
    ("0901.21.00", 0, "roasted", "", "Free", "", "Free"),
    ("0901.21.00.30", 1, "whole", '["kg"]', "", "", ""),
    ("0901.21.00.40", 1, "ground", '["kg"]', "", "", ""),
    ("9503.00.00", 0, "toys", "", "2%", "", "70%"),
    ("9504.90.20", 0, "games", "", "4%", "", "40%"),
    ("9903.88.15", 0, "list 4A", "", f"{SUBHEADING} + 8%.", "", "No change"),
    ("9903.88.16", 0, "list 4B <b>[Compiler's note: provision suspended.]</b>", "", f"{SUBHEADING} + 15%", "", ""),
    ("9903.01.24", 0, "fentanyl", "", f"{SUBHEADING} + 20%.", "", ""),
    ("9903.99.77", 0, "new", "", f"{SUBHEADING} + 12%", "", ""),
)  # fmt: skip


def release(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADS, *rows])
    else:
        names = ("htsno", "indent", "description", "units", "general", "special", "other")
        path.write_text(json.dumps([dict(zip(names, [*row[:3], [], *row[4:]], strict=True)) for row in rows]))
    return path


def test_an_intake_lists_what_changed_beside_the_law_and_writes_a_draft_that_can_be_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = release(tmp_path / "rev_1.csv", OLD), release(tmp_path / "rev_2.json", NEW)
    command = ["law", "intake", str(old), str(new), "-o", str(tmp_path / "draft"), "--on", "2026-06-08"]
    assert run([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["on"] == "2026-06-08"
    verdicts = {one["code"]: (one["change"], one["verdict"]) for one in found["headings"]}
    assert verdicts == {
        "9903.88.15": ("re-rated", "it states 8%, and the law charges 7.5% in s301_l4a"),
        "9903.88.16": ("suspended", "agrees"),
        "9903.99.77": ("added", "the law does not have it"),
    }
    lines = {one["code"]: (one["change"], one["to"]) for one in found["lines"]}
    assert lines == {
        "9503.00.00": ("re-rated", ""),
        "9504.90.10": ("moved", "9504.90.20"),
        "9504.90.20": ("added", ""),
    }
    assert [(one["code"], one["how"]) for one in found["codes"]] == [
        ("0901110010", "carried"), ("0901110020", "open"), ("0901210010", "split"),
    ]  # fmt: skip
    assert any(question.startswith("9903.99.77 (added)") for question in found["questions"])
    draft = tmp_path / "draft"
    assert "9903.88.15" in (draft / "QUESTIONS.md").read_text()
    assert "heading_99039977" in (draft / "law" / "measures" / "intake.yaml").read_text()
    checked = lint_law(str(draft / "law"))
    assert checked.measures
    assert not checked.findings
    with pytest.raises(InvalidRequest, match="is there"):
        run(command)


def test_two_releases_that_are_the_same_change_nothing(tmp_path: Path) -> None:
    one, other = (read_release(release(tmp_path / name, OLD)) for name in ("a.csv", "b.json"))
    assert not line_changes(one, other)
    assert not carried_codes(one, other)
    assert one.headings == other.headings
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"c\.csv is no export"):
        read_release(tmp_path / "c.csv")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        (f"{SUBHEADING} + 25%", "0.25"), (SUBHEADING, "0"), ("No change", "0"), ("Free", "0"), ("15%", "0.15"),
        (f"{SUBHEADING} + a duty of 25% upon the value of the content", None), ("$1.61/kg", None), ("", None),
    ],
)  # fmt: skip
def test_rates_of_headings_are_read_from_their_texts(text: str, rate: str | None) -> None:
    assert rate_of_text(text) == (None if rate is None else Decimal(rate))
