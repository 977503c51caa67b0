"""Splitting of a line by shares, and tests of facts: how many are accepted, and shares too small to see."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError, LawError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.rating import classes, fact_tests
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import Scenario, apply_scenario, library
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.tables import atoms as atoms_module
from tests.law.harness import Rates, duties, quote_of
from tests.unit.laws import make_law, measure
from tests.unit.scenario_tables import written

RATES: Rates = {"8471300100": {"general": ("0", "0", "kg"), "other": ("0", "0", "kg")}}
VALUE = 10_000


def _law(partitions: dict[str, int]) -> Law:
    """One duty of 1 %, 2 %, 4 % and so on for each share claim; n claims of a partition split a line into n + 1."""
    claims = {
        f"{name}{i}_share": {"type": "share", "role": "charge", "partition": name}
        for name, count in partitions.items()
        for i in range(count)
    }
    measures = [
        measure(f"duty_{name}", [{"if": [name], "rate": f"{2**i}%", "heading": f"9999.00.{i:02}"}])
        for i, name in enumerate(claims)
    ]
    return make_law(measures, claims=claims)


def _line(claims: dict[str, str]) -> dict[str, Any]:
    return {
        "hts": "8471300100", "origin": "JP", "value": str(VALUE), "entry": "2025-06-01T12:00-04:00",
        "claims": claims, "quantity": "1", "unit": "kg",
    }  # fmt: skip


def _declared(partitions: dict[str, int]) -> dict[str, str]:
    return {f"{name}{i}_share": "0.05" for name, count in partitions.items() for i in range(count)}


ACCEPTED = dict.fromkeys("abcde", 1)  # 2 ** 5 = 32 parts
REFUSED = {"a": 10, "b": 2}  # 11 * 3 = 33 parts


def test_a_line_of_exactly_32_parts_is_rated_and_one_of_33_refused_on_a_line_and_in_a_table() -> None:
    law, line = _law(ACCEPTED), _line(_declared(ACCEPTED))
    # Each duty is on its own share of the value, whatever the others are.
    expected = VALUE * 0.05 * sum(2**i for i in range(5)) / 100
    assert float(quote_of(law, line, RATES).assessed) == pytest.approx(expected)
    table = duties(law, [line], RATES, [""])
    assert list(table.refused) == []
    assert table.duty[0] == pytest.approx(expected, rel=1e-12)
    law, line, whole = _law(REFUSED), _line(_declared(REFUSED)), _line({})
    with pytest.raises(InputError) as caught:
        quote_of(law, line, RATES)
    assert caught.value.reason == "TOO_MANY_ATOMS"
    assert list(duties(law, [whole, line, whole], RATES, ["", "", ""]).refused) == [1]


@pytest.mark.parametrize("share", ["0.5", "1e-3", "1e-6", "1e-9"])
def test_a_small_share_is_charged_in_a_table_as_on_a_line(share: str) -> None:
    law = _law({"a": 1})
    table = duties(law, [_line({"a0_share": share})], RATES, [""])
    assert table.duty[0] == pytest.approx(VALUE * float(share) / 100, rel=1e-9)


def test_a_row_of_too_many_parts_is_in_no_group_no_total_no_range_and_moves_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(atoms_module, "ATOMS_AT_MOST", 1)
    # Groups are in the order of their keys: the refused group comes first here.
    rows = [("9503000073", "VN", 1000.0, 0.0), ("9503000073", "CA", 500.0, 0.5)]
    table = pl.DataFrame(rows, schema=["hts", "origin", "customs_value", "usmca_share"], orient="row")
    options = Options(baseline="2025-01-01", draws=16)
    points = [Point(library()[name], "2025-06-01") for name in ("base", "fentanyl-zero")]
    with_refused, alone = (
        impact(lines, points, law=load_law(), options=options) for lines in (table, table.head(1))
    )
    assert with_refused.refused.select("row", "reason").rows() == [(1, "TOO_MANY_ATOMS")]
    for found, expected in zip(with_refused.scenarios, alone.scenarios, strict=True):
        assert found.groups.select("origin", "customs_value").rows() == [("VN", 1000.0)]
        assert found.total["customs_value"] == 1000.0
        # Toys of Vietnam on that day: 10 percent reciprocal.
        assert found.total["duty"] == pytest.approx(100.0)
        assert found.groups.select("duty", "duty_vs").equals(expected.groups.select("duty", "duty_vs"))
        assert found.ranges is not None
        assert set(found.ranges.groups["origin"]) == {"VN"}
        of_total = found.ranges.total.filter(column="duty_after")
        of_group = found.ranges.groups.filter(column="duty_after")
        assert of_group.select(of_total.columns).equals(of_total)


HEADINGS = sorted({code[:4] for code in load_schedule().children("")})
TOYS = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [10000.0]})
STATIC = Options(response="none", by=("authority",))


def with_tests_of_value(headings: list[str]) -> Scenario:
    """A measure with a row for each heading, which tests whether a claim is above 0, above 1 and so on."""
    rows = "".join(
        f"            - {{rate: 1%, products: ['{heading}'], if: [processing_value > {n}]}}\n"
        for n, heading in enumerate(headings)
    )
    period = f"        - id: steps_1\n          from: 2026-01-01\n          rows:\n{rows}"
    change = f"op: add\n    measure:\n      id: steps\n      authority: steps\n      periods:\n{period}"
    return written(change)


def test_more_tests_of_facts_than_the_limit_are_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_tests, "TESTS_AT_MOST", 60)
    point = Point(with_tests_of_value(["9503"] * 70), "2026-11-24")
    with pytest.raises(LawError) as caught:
        impact(TOYS, [point], law=load_law(), options=STATIC)
    assert (caught.value.reason, caught.value.exit_code) == ("TOO_MANY_TESTS", 4)
    assert caught.value.fix


@pytest.mark.parametrize("processing", [0.5, 61.5, 62.5, 68.5, 139.5])
def test_a_row_that_tests_more_facts_than_a_word_has_bits_is_rated_as_on_an_entry_line(
    processing: float,
) -> None:
    """The first row that fits charges."""
    law = apply_scenario(load_law(), with_tests_of_value(["9503"] * 140))
    table, point = (
        TOYS.with_columns(processing_value=pl.lit(processing)),
        Point(library()["base"], "2026-11-24"),
    )
    (found,) = impact(table, [point], law=law, options=STATIC).scenarios
    line = EntryLine("9503000073", "CN", "10000", "2026-11-24", claims={"processing_value": str(processing)})
    charged = {layer.authority: float(layer.amount) for layer in quote_line(law, line).layers if layer.amount}
    assert dict(found.groups.select("authority", "duty").rows()) == charged


def test_tests_of_different_goods_may_be_more_than_the_bits() -> None:
    """Each heading has a test of its own; the duty is 1 percent where the value of processing is above it."""
    point = Point(with_tests_of_value(HEADINGS[:90]), "2026-11-24")
    codes = [next(code for code in load_schedule().children(heading)) for heading in HEADINGS[:90]]
    values = [n + 0.5 for n in range(90)] + [n - 0.5 for n in range(90)]
    table = pl.DataFrame({"hts": codes * 2, "processing_value": values})
    table = table.with_columns(origin=pl.lit("CH"), customs_value=pl.lit(10_000.0))
    (found,) = impact(table, [point], law=load_law(), options=STATIC).scenarios
    assert found.groups.filter(authority="steps")["duty"].sum() == pytest.approx(90 * 100)


def test_a_class_has_the_rows_whose_products_and_origins_its_goods_are_in() -> None:
    codes, origins = np.random.default_rng(7).random((2, 6, 8)) < 0.5
    keys = [bytes([place]) for place in range(6)]
    rows = [classes.RowReach((), key, key, (), False, False) for key in keys]
    code, origin = np.indices((8, 8)).reshape(2, -1)
    lines: Any = SimpleNamespace(codes=code[:8], origins=code[:8], piece_code=code, piece_origin=origin)
    scopes = classes.Scopes(*(dict(zip(keys, masks, strict=True)) for masks in (codes, origins)))
    found, reached = classes._classes(rows, scopes, lines)
    assert np.array_equal(reached[found], (codes[:, code] & origins[:, origin]).T)
