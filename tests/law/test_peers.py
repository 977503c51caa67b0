"""Worked cases of other calculators' public tests: the headings and amounts they assert, held against ours."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tests.law.peers import convert

FOLDER = Path(__file__).parent / "peers"
SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "peer_cases.jsonl"
COMPARED = frozenset({"agree", "soft", "ours_wrong", "ours_lacking"})
"""Verdicts that never let a case be set aside."""
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Case:
    """One entry line with the total, headings and amounts that a public test asserts; empty text is nothing said."""

    id: str
    source: str
    hts: str
    origin: str
    date: str
    value: str
    claims: str
    quantity: str
    unit: str
    total: str
    charged: str
    zero: str
    absent: str
    verdict: str


def read_cases() -> list[Case]:
    with (FOLDER / "cases.csv").open(encoding="utf-8", newline="") as file:
        return [Case(**row) for row in csv.DictReader(file)]


def read_reasons(section: str, key: str = "reason") -> dict[str, str]:
    """The reason (or another key) of each case of a section, by case id."""
    raw = yaml.load((FOLDER / "set_aside.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return {case: entry[key] for entry in raw[section] for case in entry["cases"]}


CASES = read_cases()
READ_SINCE = read_reasons("read_since")
SET_ASIDE = read_reasons("set_aside") | READ_SINCE
OTHER_ZERO_HEADING = read_reasons("other_zero_heading")
TOTAL_ALONE = read_reasons("total_alone")
FINER_CODE = read_reasons("finer_code", key="code")


def compared() -> list[Any]:
    return [pytest.param(case, id=case.id) for case in CASES if case.id not in SET_ASIDE]


def set_aside() -> list[Any]:
    return [
        pytest.param(case, id=f"{case.id}: {SET_ASIDE[case.id]}") for case in CASES if case.id in SET_ASIDE
    ]


@pytest.mark.parametrize("case", compared())
def test_an_answer_has_the_headings_and_amounts_of_the_public_case(case: Case) -> None:
    assert differences(case) == []


@pytest.mark.parametrize("case", set_aside())
def test_a_case_set_aside_has_a_reason_and_still_differs(case: Case) -> None:
    assert case.verdict not in COMPARED or case.id in READ_SINCE
    assert differences(case)


def test_every_reason_is_of_a_case() -> None:
    verdicts = {case.id: case.verdict for case in CASES}
    assert len(verdicts) == len(CASES) == 549
    assert SET_ASIDE.keys() | TOTAL_ALONE.keys() | FINER_CODE.keys() <= verdicts.keys()
    assert all(verdicts[case] == "soft" for case in OTHER_ZERO_HEADING)


def differences(case: Case) -> list[str]:
    """The statements of a case that our answer does not bear out; a refused line is one."""
    law = load_law()
    line = EntryLine(
        hts=FINER_CODE.get(case.id, case.hts), origin=case.origin, value=case.value, entry=case.date,
        claims=dict(pair.split("=") for pair in case.claims.split()), quantity=case.quantity or None, unit=case.unit,
    )  # fmt: skip
    try:
        quote = quote_line(law, line)
    except InputError as error:
        return [f"refused: {error.reason}"]
    headings = {one.heading: one.amount for one in quote.headings}
    found = [] if not case.total or near(quote.assessed, case.total) else [f"total {quote.assessed}"]
    for heading, amount in (pair.split("=") for pair in case.charged.split()):
        charged = headings.get(heading, Decimal(0))
        if not charged or (amount and case.id not in TOTAL_ALONE and not near(charged, amount)):
            found.append(f"{heading} charged {charged}")
    found += [f"{heading} charged" for heading in case.absent.split() if headings.get(heading)]
    if case.id not in OTHER_ZERO_HEADING:
        found += [f"{heading} not at zero" for heading in case.zero.split() if headings.get(heading) != 0]
    return found


def near(amount: Decimal, wanted: str) -> bool:
    """Equal but for a cent, by which sources that round the total and not each duty differ."""
    return abs(amount - Decimal(wanted)) <= CENT


@pytest.mark.skipif(not SOURCE.is_file(), reason="the folder of public sources is not here")
def test_the_table_is_what_its_source_says() -> None:
    with SOURCE.open(encoding="utf-8") as lines:
        assert sorted(convert.rows(lines)) == sorted(tuple(vars(case).values()) for case in CASES)
