"""Many lines in one call: answers and failures by index, fees by entry, and a size that fits the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from tariffs.service.local import LocalServices
from tariffs.service.rpc.duty import BATCH_LIMIT
from tariffs.v1 import common_pb2
from tariffs.v1 import duty_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line

# What a client accepts unless it asks for more.
DEFAULT_RECEIVE_LIMIT = 4 << 20


def toy(**given: Any) -> pb.EntryLine:
    """One line of toys, changed as given."""
    return line(**given).line


def batch(*lines: pb.EntryLine, **options: Any) -> pb.BatchCalculateDutiesRequest:
    return pb.BatchCalculateDutiesRequest(lines=lines, **options)


def test_a_line_in_a_batch_is_rated_as_it_is_alone(served: Running) -> None:
    asked = line(entry="2025-05-20", freight="90", mode=common_pb2.TRANSPORT_MODE_OCEAN)
    asked.explain = True
    alone = served.duty.CalculateDuty(asked, timeout=TIMEOUT)
    answer = served.duty.BatchCalculateDuties(batch(asked.line), timeout=10)
    (one,) = answer.quotes
    assert list(one.quote.layers) == list(alone.layers)
    assert list(one.quote.headings) == list(alone.headings)
    assert one.quote.landed == alone.landed
    assert one.quote.provenance.details == alone.provenance.details
    assert answer.provenance.law_digest == alone.provenance.law_digest
    assert answer.provenance.switches == alone.provenance.switches
    assert answer.provenance.run_digest


def test_bad_lines_are_failures_at_their_index(served: Running) -> None:
    bad = {
        1: (toy(origin="XX"), "ORIGIN_UNKNOWN", "origin"),
        2: (toy(hts=""), "REQUEST_INVALID", "hts"),
        3: (toy(mode=9), "REQUEST_INVALID", "mode"),
        4: (toy(customs_value="many"), "CUSTOMS_VALUE_INVALID", "customs_value"),
        5: (toy(claims={"usmca_share": 2}), "CLAIM_INVALID", "claims.usmca_share"),
        6: (toy(other_charges=[pb.OtherCharge(amount="1")]), "CHARGE_INVALID", "other_charges"),
    }
    lines = [
        toy(entry_id="E", line_id="1"),
        *(one for one, _, _ in bad.values()),
        toy(entry_id="E", line_id="8"),
    ]
    answer = served.duty.BatchCalculateDuties(batch(*lines), timeout=10)
    assert [(one.index, one.entry_id, one.line_id) for one in answer.quotes] == [(0, "E", "1"), (7, "E", "8")]
    assert sorted(answer.failures) == list(bad)
    for index, (_, reason, field) in bad.items():
        status, info, request = answer.failures[index], ErrorInfo(), BadRequest()
        assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert any(detail.Unpack(info) for detail in status.details)
        assert any(detail.Unpack(request) for detail in status.details)
        assert (info.reason, request.field_violations[0].field) == (reason, field)
        assert "request_id" not in info.metadata


def test_fees_are_of_the_entry(served: Running) -> None:
    lines = [toy(entry_id="E", customs_value="1000", entry="2026-11-24") for _ in range(3)]
    answer = served.duty.BatchCalculateDuties(batch(*lines, toy(customs_value="-1")), timeout=10)
    first, second = answer.entries
    assert [one.quote.landed["mpf"] for one in answer.quotes] == ["11.53", "11.53", "11.52"]
    assert (first.entry_id, first.day, list(first.indices), first.refused_count) == (
        "E",
        "2026-11-24",
        [0, 1, 2],
        0,
    )
    assert first.landed["mpf"] == "34.58"
    total = sum(Decimal(one.quote.landed["total"]) for one in answer.quotes)
    assert Decimal(first.landed["total"]) == total
    assert (second.entry_id, second.day, list(second.indices), second.refused_count) == ("", "", [3], 1)


def test_quotes_come_in_the_order_of_the_lines_though_entries_alternate(served: Running) -> None:
    entries = ("A", "B", "", "B", "A")
    lines = [
        toy(entry_id=entry, line_id=f"line {place}", customs_value=str(1000 + place))
        for place, entry in enumerate(entries)
    ]
    answer = served.duty.BatchCalculateDuties(batch(*lines), timeout=10)
    named = [(one.index, one.line_id, one.entry_id) for one in answer.quotes]
    assert named == [(place, f"line {place}", entry) for place, entry in enumerate(entries)]
    values = [one.quote.landed["customs_value"] for one in answer.quotes]
    assert values == [f"{1000 + place}.00" for place in range(len(entries))]
    assert [list(one.indices) for one in answer.entries] == [[0, 4], [1, 3], [2]]


def test_charges_of_the_caller_come_out_in_cents(served: Running) -> None:
    charges = [
        pb.OtherCharge(kind=pb.CHARGE_KIND_ADCVD, rate="0.216349", label="A-570-001"),
        pb.OtherCharge(kind=pb.CHARGE_KIND_EXCISE, per_unit=pb.UnitRate(usd="0.335", unit="doz")),
        pb.OtherCharge(kind=pb.CHARGE_KIND_OTHER, amount="150"),
    ]
    request = line(other_charges=charges, quantity="30", unit="no")
    answer = served.duty.CalculateDuty(request, timeout=TIMEOUT)
    assert [(one.kind, one.label, one.base, one.amount) for one in answer.charges] == [
        (pb.CHARGE_KIND_ADCVD, "A-570-001", "10000", "2163.49"),
        (pb.CHARGE_KIND_EXCISE, "", "2.5", "0.84"),
        (pb.CHARGE_KIND_OTHER, "", "", "150.00"),
    ]
    assert not answer.charges[2].HasField("base")
    assert (answer.landed["adcvd"], answer.landed["excise"], answer.landed["other"]) == (
        "2163.49",
        "0.84",
        "150.00",
    )
    assert answer.assessed == "10400.00"


def test_a_batch_as_a_whole_is_refused_only_for_what_is_of_the_whole(served: Running) -> None:
    too_many = [toy()] * (BATCH_LIMIT + 1)
    mask = {"paths": ["layers.colour"]}
    for request, reason in [
        (batch(), "REQUEST_INVALID"),
        (batch(*too_many), "BATCH_TOO_LARGE"),
        (batch(toy(), known_on="soon"), "ENTRY_DATE_INVALID"),
        (batch(toy(), switches={"none": "such"}), "SWITCH_UNKNOWN"),
        (batch(toy(), scenario={"name": "none-such"}), "SCENARIO_NOT_FOUND"),
        (batch(toy(), read_mask=mask), "REQUEST_INVALID"),
    ]:
        fault = fails(lambda request=request: served.duty.BatchCalculateDuties(request, timeout=10))  # type: ignore[misc]
        assert fault.reason == reason


def test_the_largest_batch_fits_a_message_of_the_default_size(served: Running) -> None:
    metal = {"hts": "8708.29.5160", "origin": "CN", "entry": "2025-08-20"}
    lines = [toy(line_id=str(place), entry_id="E", **metal) for place in range(BATCH_LIMIT)]
    answer = served.duty.BatchCalculateDuties(batch(*lines), timeout=60)
    assert len(answer.quotes) == BATCH_LIMIT
    assert answer.ByteSize() < DEFAULT_RECEIVE_LIMIT
    trimmed = batch(*lines, read_mask={"paths": ["assessed", "layers.measure", "layers.amount"]})
    assert served.duty.BatchCalculateDuties(trimmed, timeout=60).ByteSize() < answer.ByteSize() / 3


def test_a_batch_in_process_is_the_same(served: Running) -> None:
    request = batch(toy(), toy(origin="XX"), toy(entry="2026-11-24"))
    here = LocalServices().BatchCalculateDuties(request, timeout=10)
    assert here == served.duty.BatchCalculateDuties(request, timeout=10)


def test_one_line_is_answered_while_a_batch_is_rated(served: Running) -> None:
    lines = [toy(customs_value=str(1000 + place)) for place in range(BATCH_LIMIT)]
    call = served.duty.BatchCalculateDuties.future(batch(*lines), timeout=60)
    assert served.duty.CalculateDuty(line(), timeout=TIMEOUT).assessed == "10400.00"
    call.cancel()
    assert served.duty.CalculateDuty(line(), timeout=TIMEOUT).assessed == "10400.00"


@pytest.mark.parametrize("known_on", ["", "entry", "2025-06-01"])
def test_the_provenance_says_which_acts_counted(served: Running, known_on: str) -> None:
    answer = served.duty.BatchCalculateDuties(batch(toy(entry="2025-05-20"), known_on=known_on), timeout=10)
    own = {"": answer.provenance.known_on, "entry": "2025-05-20"}.get(known_on, known_on)
    assert answer.quotes[0].quote.provenance.known_on == own
    assert answer.provenance.known_on == (known_on or own)
