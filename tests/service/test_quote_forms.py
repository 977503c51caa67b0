"""Quotes priced on the event loop equal those computed in a thread, and what takes long is left to the thread."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty import class_profile, why_not
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.rating.fits import StackedRow
from tariffs.service.rpc import duty, shared
from tariffs.service.rpc.quotes import fill_quote
from tariffs.v1 import duty_service_pb2 as pb

GOODS: Sequence[tuple[str, str, str, dict[str, Any]]] = (
    ("9503.00.0073", "CN", "2025-05-20", {}),
    ("8471.30.0100", "CN", "2025-05-20", {}),
    ("7318.15.2065", "CN", "2025-10-01", {"steel_share": 0.5}),
    ("8708.99.8180", "MX", "2025-11-20", {"usmca_share": 0.4}),
    ("6110.20.2079", "VN", "2026-09-01", {}),
    ("2208.30.6065", "CA", "2026-10-15", {}),
    ("2206.00.1500", "CA", "2026-10-15", {"usmca_share": 1.0, "others": {"packaged_share": "0.4"}}),
)

CACHES = (class_profile._PROFILES, class_profile._ROWS, why_not._CLASSES, why_not._SENTENCES)


def request(goods: tuple[str, str, str, dict[str, Any]], value: str = "12500.00") -> pb.CalculateDutyRequest:
    hts, origin, entry, claims = goods
    line = pb.EntryLine(
        hts=hts, origin=origin, entry=entry, customs_value=value, freight="90.5", claims=claims
    )
    return pb.CalculateDutyRequest(line=line)


def data(answer: pb.CalculateDutyResponse | None) -> bytes:
    assert answer is not None
    return answer.SerializeToString(deterministic=True)


def forget(*caches: Any) -> None:
    for cache in caches:
        cache.clear()


@pytest.mark.parametrize("goods", GOODS, ids=lambda goods: goods[0])
@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize(
    "mask", [(), ("assessed", "layers.measure", "layers.amount"), ("landed", "notes"), ("layers",)]
)
def test_an_answer_from_memory_is_the_one_a_thread_builds_whole(
    goods: Any, explain: bool, mask: Sequence[str]
) -> None:
    for value in ("12500.00", "1", "3", "0", "99999.49"):
        asked = request(goods, value)
        asked.explain = explain
        asked.read_mask.paths.extend(mask)
        before = asked.SerializeToString(deterministic=True)
        first = data(duty.calculate_duty(asked))
        assert data(duty.duty_from_memory(asked)) == first
        forget(*CACHES)
        assert data(duty.calculate_duty(asked)) == first
        assert asked.SerializeToString(deterministic=True) == before


def test_reasons_are_sent_on_request_and_headings_always() -> None:
    asked = request(GOODS[0])
    bare = duty.calculate_duty(asked)
    asked.explain = True
    whole = duty.calculate_duty(asked)
    assert bare.headings
    assert not bare.considered
    assert not any(layer.why for layer in bare.layers)
    assert whole.considered
    assert all(layer.why["text"] for layer in whole.layers)
    for layer in whole.layers:
        layer.why.clear()
    whole.ClearField("considered")
    whole.provenance.run_digest = bare.provenance.run_digest
    assert data(whole) == data(bare)


def test_an_answer_that_is_changed_does_not_change_later_ones() -> None:
    asked = request(GOODS[1])
    asked.explain = True
    first = duty.calculate_duty(asked)
    wanted = data(first)
    first.layers[0].amount = "1"
    first.layers[0].citations.append("x")
    first.considered[0].text = "2"
    first.provenance.details["entry"] = "3"
    first.provenance.switches["x"] = "4"
    del first.layers[1:]
    assert data(duty.duty_from_memory(asked)) == wanted


def test_classes_of_goods_without_facts_are_compiled_at_once_and_told() -> None:
    for explain in (False, True):
        asked, told = request(GOODS[0]), list[pb.CalculateDutyRequest]()
        asked.explain = explain
        wanted = data(duty.calculate_duty(asked))
        forget(*CACHES)
        assert [data(duty.duty_from_memory(asked, told.append)) for _ in range(2)] == [wanted] * 2
        assert told == [asked]


@pytest.mark.parametrize(
    ("goods", "known", "asked"),
    [
        (2, {"line": {"hts": "7318.15.2065", "origin": "CN", "entry": "2025-10-01"}}, {}),
        (2, {}, {"explain": True}),
        (0, {}, {"explain": True}),
        (0, {}, {"line": {"entry": "2026-03-10"}}),
        (0, {}, {"scenario": {"name": "truce-extended"}}),
        (0, {}, {"switches": {"usmca_basis": "2024"}}),
        (0, {}, {"min_confidence": "A"}),
    ],
    ids=["facts", "reasons of facts", "reasons of a day", "day", "scenario", "switch", "confidence"],
)
def test_what_is_not_compiled_is_left_to_a_thread(
    monkeypatch: pytest.MonkeyPatch, goods: int, known: dict[str, Any], asked: dict[str, Any]
) -> None:
    """Goods are asked for once, and then with a change; a law with another switch is known to no other test."""
    for module, name in ((class_profile, "_PROFILES"), (why_not, "_CLASSES"), (shared, "_LAWS")):
        monkeypatch.setattr(module, name, BoundedCache(8))
    first, second = (request(GOODS[goods]) for _ in range(2))
    for one in (first, second):
        one.switches["revive_displaced"] = "on"
    if known:
        first.line.ClearField("claims")
    duty.calculate_duty(first)
    second.MergeFrom(pb.CalculateDutyRequest(**asked))
    assert duty.duty_from_memory(second) is None
    duty.calculate_duty(second)
    assert duty.duty_from_memory(second) is not None


def wrong(change: dict[str, Any]) -> pb.CalculateDutyRequest:
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    asked.MergeFrom(pb.CalculateDutyRequest(**change))
    return asked


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"read_mask": {"paths": ["layers.nothing"]}}, "no field"),
        ({"read_mask": {"paths": ["assessed"] * 101}}, "read_mask has 101 items"),
        ({"switches": {f"name_{n}": "1" for n in range(201)}}, "switches has 201 items"),
        ({"line": {"customs_value": "-"}}, "customs_value"),
        ({"line": {"entry_id": "x" * 201}}, "entry_id"),
        ({"line": {"other_charges": [{"kind": 1, "amount": "1"}] * 101}}, "other_charges has 101"),
        ({"line": {"claims": {"others": {f"n_{n}": "1" for n in range(201)}}}}, "claims has 201"),
    ],
)
def test_a_wrong_request_is_refused_on_either_way(change: dict[str, Any], text: str) -> None:
    """Nor does more of a thing than anybody needs hold the event loop up."""
    for way in (duty.duty_from_memory, duty.calculate_duty):
        with pytest.raises(InputError, match=text):
            way(wrong(change))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"direction": -1}, "direction"),
        ({"direction": 7}, "direction"),
        ({"scenario": {"name": "no-such-scenario"}}, "no-such-scenario"),
        ({"scenario": {"yaml": "id: x"}}, "schema"),
    ],
)
def test_what_takes_the_law_to_refuse_is_left_to_a_thread(change: dict[str, Any], text: str) -> None:
    assert duty.duty_from_memory(wrong(change)) is None
    with pytest.raises(TariffsError, match=text):
        duty.calculate_duty(wrong(change))


def test_answers_under_a_law_that_is_gone_keep_none_of_its_rows() -> None:
    law = replace(load_law())
    measures = {name: replace(measure) for name, measure in law.measures.items()}
    law = replace(law, measures=measures)
    of_law = {id(measure) for measure in measures.values()}
    quote = quote_line(law, EntryLine("9503.00.0073", "CN", 10_000, "2026-12-01"))
    fill_quote(pb.CalculateDutyResponse(), quote)
    assert rows_of(of_law)
    del law, measures, quote
    gc.collect()
    assert not rows_of(of_law)


def rows_of(measures: set[int]) -> list[StackedRow]:
    """Rows in memory that are of some measures."""
    rows = [one for one in gc.get_objects() if isinstance(one, StackedRow)]
    return [row for row in rows if id(row.layer.active.measure) in measures]
