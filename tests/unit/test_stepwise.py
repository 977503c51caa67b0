"""Runs in steps: what is valued alone, in any order, is what is valued in one go."""

from __future__ import annotations

import random

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import ImpactRun, Options, Point, impact
from tariffs.engine.runs.line_stream import LineStream
from tariffs.engine.scenario import library
from tariffs.engine.tables import atoms as atoms_module

POINTS = [
    Point(library()[name], on)
    for on in ("2026-11-20", "2027-01-11")
    for name in ("base", "ieepa-upheld-truce-kept")
]


def table(count: int, seed: int = 1) -> pl.DataFrame:
    draw = random.Random(seed)
    codes = ("9503.00.0073", "8517.13.0000", "9401.61.6011", "no code")
    return pl.DataFrame(
        {
            "hts": [draw.choices(codes, (9, 9, 9, 1))[0] for _ in range(count)],
            "origin": [draw.choice(("CN", "VN", "MX", "DE")) for _ in range(count)],
            "customs_value": [float(draw.randrange(1, 10_000)) for _ in range(count)],
        }
    )


def test_a_run_that_takes_over_what_another_met_has_its_provenance_and_refusals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(atoms_module, "ATOMS_AT_MOST", 1)
    frame, law = table(60), load_law()
    options = Options(response="none")
    whole = impact(frame, POINTS, law=law, options=options)
    first = ImpactRun(frame, POINTS, law=law, options=options)
    at_once = first.table_run.refused()
    blocks = [first.value(index) for index in range(len(POINTS))]
    second = ImpactRun(frame, POINTS, law=law, options=options)
    second.table_run.resume(first.table_run.switch_report)
    found = second.result(blocks)
    assert found.provenance == whole.provenance
    assert found.refused.equals(whole.refused)
    assert found.refused.height > at_once.height > 0
    untold = ImpactRun(frame, POINTS, law=law, options=options).result(blocks)
    assert untold.provenance != whole.provenance


def test_batches_are_valued_as_the_table_is() -> None:
    frame, law = table(90), load_law()
    whole = impact(frame, POINTS, law=law, options=Options(response="none", include_lines=True))
    stream = LineStream(POINTS, law=law, options=Options())
    batches = [stream.value(frame.slice(start, 40)) for start in range(0, 90, 40)]
    for index, block in enumerate(whole.scenarios):
        assert block.lines is not None
        assert pl.concat(batch.lines[index] for batch in batches).equals(block.lines)
    refused = pl.concat(
        batch.refused.with_columns(pl.col("row") + 40 * index) for index, batch in enumerate(batches)
    )
    assert refused.equals(whole.refused)


def test_a_batch_that_is_no_table_is_an_error_of_its_own() -> None:
    stream = LineStream(POINTS, law=load_law(), options=Options())
    with pytest.raises(InputError) as caught:
        stream.value(table(5).drop("hts"))
    assert caught.value.reason == "COLUMN_MISSING"
    assert stream.value(table(5)).lines[0].height
