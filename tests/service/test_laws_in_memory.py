"""A law stays in memory for those who have it, and is let go with the last of them."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.law.pack.read import read_pack
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.rating.fits import StackedRow
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.service.rpc import laws
from tariffs.service.rpc.laws import Laws, ServedLaw
from tariffs.service.rpc.quotes import fill_quote
from tariffs.v1 import duty_service_pb2 as pb
from tests.law.packs import TOYS, drop, newer_pack


@pytest.mark.slow
def test_a_law_that_nobody_has_any_more_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "_LOADED", 1)
    served, seen = Laws(), list[weakref.ref[Law]]()
    found = [pack_of(tmp_path, number) for number in range(3)]
    served.serve(found[0])
    held = served.named(found[0].version)
    use(held)
    seen.append(weakref.ref(held))
    for before, one in pairwise(found):
        served.serve(one)
        served.withdraw({before.digest})
        seen.append(weakref.ref(served.named(one.version)))
        use(served.named(one.version))
    # A run that has the first goes on with it, and whoever names it for good gets the same and not another copy.
    assert served.named(f"{found[0].version}@{found[0].digest}") is held
    del held
    served.withdraw({found[2].digest})
    # What the engine keeps of a run is that of the table used last.
    use(served.default)
    gc.collect()
    assert [one() is not None for one in seen] == [False, False, True]


def test_answers_under_a_law_that_is_gone_keep_none_of_its_rows() -> None:
    law = replace(load_law())
    measures = {name: replace(measure) for name, measure in law.measures.items()}
    law = replace(law, measures=measures)
    of_law = {id(measure) for measure in measures.values()}
    quote = quote_line(law, EntryLine(TOYS["hts"], TOYS["origin"], TOYS["value"], TOYS["entry"]))
    fill_quote(pb.CalculateDutyResponse(), quote)
    assert rows_of(of_law)
    del law, measures, quote
    gc.collect()
    assert not rows_of(of_law)


def rows_of(measures: set[int]) -> list[StackedRow]:
    """Rows in memory that are of some measures."""
    rows = [one for one in gc.get_objects() if isinstance(one, StackedRow)]
    return [row for row in rows if id(row.layer.active.measure) in measures]


def pack_of(folder: Path, number: int) -> ServedLaw:
    version = f"2026.12.{number + 1:02}.1"
    path = drop(newer_pack(folder, version), folder / "packs", f"{version}.tar.zst")
    manifest = read_pack(path.read_bytes(), path.name).manifest
    return ServedLaw(version, manifest.digest, path=path)


def use(law: Law) -> None:
    """Have what a server has of a law: its quotes, and a run over the embedded table."""
    quote_line(law, EntryLine(TOYS["hts"], TOYS["origin"], TOYS["value"], TOYS["entry"]))
    impact(None, [Point(library()["base"], "")], law=law, options=Options(by=("origin",), response="none"))
