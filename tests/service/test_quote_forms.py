"""Quotes from memory: filled into the form of their plan, they are the messages that a thread would have built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tariffs.engine import explanation, quoteplan
from tariffs.engine.assess import price
from tariffs.engine.entryline import Reading, read_line
from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.lru import Lru
from tariffs.engine.quoteplan import Plan, plan_of
from tariffs.engine.settling import UNDETERMINED
from tariffs.engine.trade.schedule import load_schedule
from tariffs.service.rpc import duty, quotes, shared
from tariffs.v1 import duty_service_pb2 as pb

MASK = ("assessed", "layers.measure", "layers.amount")
GOODS: Sequence[tuple[str, str, str, dict[str, float]]] = (
    ("9503.00.0073", "CN", "2025-05-20", {}),
    ("8471.30.0100", "CN", "2025-05-20", {}),
    ("7318.15.2065", "CN", "2025-10-01", {"steel_share": 0.5}),
    ("8708.99.8180", "MX", "2025-11-20", {"usmca_share": 0.4}),
    ("6110.20.2079", "VN", "2026-09-01", {}),
)

BOLTS = ("7318.15.2065", "CN", "2025-10-01", dict[str, float]())


def request(
    goods: tuple[str, str, str, dict[str, float]], value: str = "12500.00", mask: Sequence[str] = ()
) -> pb.CalculateDutyRequest:
    hts, origin, entry, claims = goods
    line = pb.EntryLine(hts=hts, origin=origin, entry=entry, customs_value=value, freight="90.5")
    for name, share in claims.items():
        setattr(line.claims, name, share)
    line.other_charges.add(kind=pb.CHARGE_KIND_ADCVD, label="A-570", rate="0.0312")
    asked = pb.CalculateDutyRequest(line=line)
    asked.read_mask.paths.extend(mask)
    return asked


def data(answer: pb.CalculateDutyResponse | None) -> bytes:
    assert answer is not None
    return answer.SerializeToString(deterministic=True)


def unscaled(law: Law, line: Reading) -> Plan:
    return replace(plan_of(law, line), scaled=None)


@pytest.mark.parametrize("goods", GOODS, ids=lambda goods: goods[0])
@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("mask", [(), MASK, ("landed", "notes"), ("layers",)])
def test_an_answer_from_memory_is_the_one_a_thread_builds_whole(
    monkeypatch: pytest.MonkeyPatch, goods: Any, explain: bool, mask: Sequence[str]
) -> None:
    for value in ("12500.00", "1", "3", "99999.49"):
        asked = request(goods, value, mask)
        asked.explain = explain
        first = data(duty.calculate_duty(asked))
        assert data(duty.duty_from_memory(asked)) == first
        with monkeypatch.context() as patched:
            patched.setattr(duty, "plan_of", unscaled)
            assert data(duty.calculate_duty(asked)) == first


def test_lines_of_one_form_tell_their_own_day_and_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Lru[Any, Any] = Lru(8)
    monkeypatch.setattr(quotes, "_FORMS", kept)
    for entry, known_on in (("2025-05-20", "2026-12-01"), ("2025-05-21T08:30", "2026-12-02")):
        asked = request((*GOODS[1][:2], entry, {}))
        asked.known_on = known_on
        provenance = duty.calculate_duty(asked).provenance
        assert str(provenance.details["entry"]).startswith(f"{entry[:10]}T")
        assert provenance.known_on == known_on
    assert len(kept) == 1


@pytest.mark.parametrize("goods", [GOODS[1], BOLTS], ids=["stands only in doubt", "stands, in doubt"])
def test_layers_that_stand_at_one_value_alone_are_told_as_they_stand(goods: Any) -> None:
    law, scenario, asked = load_law(), shared.named_scenario("base", "scenario"), request(goods)
    line = read_line(law, duty.read_line(asked.line), None, load_schedule())
    plan = plan_of(law, line)
    quote = price(law, line, plan)
    doubtful = [layer for layer in quote.layers if layer.state == UNDETERMINED]
    settled = tuple(replace(layer, state=layer.face.state) for layer in quote.layers)
    fewer = tuple(layer for layer in quote.layers if layer is not doubtful[0])
    assert doubtful
    for variant in (quote, replace(quote, layers=settled), replace(quote, layers=fewer), quote):
        whole = quotes.answer_of(variant, scenario, replace(plan, scaled=None), asked)
        assert data(quotes.answer_of(variant, scenario, plan, asked)) == data(whole)


def test_an_answer_does_not_change_the_form_it_came_from() -> None:
    asked = request(GOODS[1])
    first = duty.calculate_duty(asked)
    wanted = data(first)
    first.layers[0].amount = "1"
    first.landed["total"] = "2"
    first.provenance.details["entry"] = "3"
    del first.layers[1:]
    assert data(duty.duty_from_memory(asked)) == wanted


def test_nothing_is_worked_out_on_the_way_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quoteplan, "_PLANS", Lru(8))
    monkeypatch.setattr(explanation, "_CONSIDERED", Lru(8))
    asked = request(GOODS[0])
    assert duty.duty_from_memory(asked) is None
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None
    asked.explain = True
    assert duty.duty_from_memory(asked) is None
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"scenario": {"name": "truce-extended"}},
        {"scenario": {"name": "no-such-scenario"}},
        {"scenario": {"yaml": "id: x"}},
        {"switches": {"revive_displaced": "on"}},
        {"min_confidence": "A"},
    ],
)
def test_a_law_that_is_not_in_memory_is_left_to_a_thread(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    monkeypatch.setattr(shared, "_LAWS", Lru(8))
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None
    asked.MergeFrom(pb.CalculateDutyRequest(**change))
    assert duty.duty_from_memory(asked) is None


def test_what_hangs_on_a_quantity_is_left_to_a_thread() -> None:
    asked = request(("0402.10.5000", "DE", "2025-05-20", {}))
    asked.line.quantity, asked.line.unit = "100", "kg"
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is None


@pytest.mark.parametrize("from_memory", [False, True])
def test_a_wrong_mask_or_line_is_refused_on_either_way(from_memory: bool) -> None:
    duty.calculate_duty(request(GOODS[0]))
    call = duty.duty_from_memory if from_memory else duty.calculate_duty
    with pytest.raises(InputError, match="no field"):
        call(request(GOODS[0], mask=["layers.nothing"]))
    with pytest.raises(InputError, match="customs_value"):
        call(request(GOODS[0], value="-"))


def test_forms_beyond_the_bound_are_forgotten_and_laid_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Lru[Any, Any] = Lru(3)
    monkeypatch.setattr(quotes, "_FORMS", kept)
    asked = [request(goods) for goods in GOODS]
    first = [data(duty.calculate_duty(one)) for one in asked]
    assert len(kept) == 3
    assert [data(duty.calculate_duty(one)) for one in asked] == first
