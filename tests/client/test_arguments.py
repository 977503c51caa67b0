"""Arguments of the Python client are read by their type; of a wrong type or size they are refused by name."""

from __future__ import annotations

import inspect
import io
import re
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import (
    Client,
    InvalidRequest,
    LawOptions,
    ResponseOptions,
    RunOptions,
    Scenario,
    TimelineOptions,
)
from tariffs.client._wire.requests import ClaimValue, charge_messages, claims_message, duty_line, run_request
from tariffs.client._wire.run_options import read_spec
from tariffs.client.cli.app import run
from tariffs.v1 import duty_service_pb2
from tariffs.v1.simulation_service_pb2 import SimulateRequest
from tests.client.conftest import Cli, goods, refuses

TABLE = goods(("9503.00.0073", "CN", 100.0))
TWO_DAYS: dict[str, Any] = {"start": "2026-07-01", "end": "2026-07-02"}
NO_RESPONSE: dict[str, Any] = {"on": "2026-07-01", "response": "none"}


OF_DUTY: list[tuple[dict[str, Any], str, str]] = [
    ({"value": [1]}, "CUSTOMS_VALUE_INVALID", "customs_value"),
    ({"value": True}, "CUSTOMS_VALUE_INVALID", "customs_value"),
    ({"quantity": {}}, "QUANTITY_INVALID", "quantity"),
    ({"freight": []}, "CHARGE_INVALID", "freight"),
    ({"ordinary_rate": []}, "PARAMETER_INVALID", "ordinary_rate"),
    ({"charges": ["other"]}, "REQUEST_INVALID", "charges"),
    ({"charges": {"other": [{}]}}, "CHARGE_INVALID", "other_charges.other"),
    ({"claims": ["donation"]}, "REQUEST_INVALID", "claims"),
    ({"claims": {1: 2}}, "REQUEST_INVALID", "claims"),
    ({"claims": {"not_of_the_law": [1]}}, "CLAIM_INVALID", "claims.not_of_the_law"),
    ({"claims": {"smelt_cast_origin": ["RU"]}}, "CLAIM_INVALID", "claims.smelt_cast_origin"),
    ({"claims": {"usmca_share": "all"}}, "CLAIM_INVALID", "claims.usmca_share"),
    ({"claims": {"donation": "perhaps"}}, "CLAIM_INVALID", "claims.donation"),
    ({"claims": {"model_year": "new"}}, "CLAIM_INVALID", "claims.model_year"),
    ({"switches": ["a"]}, "REQUEST_INVALID", "switches"),
    ({"switches": {"a": 1}}, "REQUEST_INVALID", "switches.a"),
    ({"origin": 5}, "REQUEST_INVALID", "origin"),
    ({"origin": "\udc80"}, "REQUEST_INVALID", "origin"),
    ({"unit": 4}, "REQUEST_INVALID", "unit"),
    ({"mode": 4}, "REQUEST_INVALID", "mode"),
    ({"mode": "bicycle"}, "REQUEST_INVALID", "mode"),
    ({"min_confidence": 4}, "REQUEST_INVALID", "min_confidence"),
    ({"direction": []}, "REQUEST_INVALID", "direction"),
    ({"direction": "control"}, "REQUEST_INVALID", "direction"),
    ({"known_on": {}}, "ENTRY_DATE_INVALID", "known_on"),
    ({"known_on": True}, "ENTRY_DATE_INVALID", "known_on"),
    ({"known_on": -(10**5000)}, "ENTRY_DATE_INVALID", "known_on"),
    ({"scenario": 1}, "REQUEST_INVALID", "scenario"),
]
OF_IMPACT: list[tuple[dict[str, Any], str, str]] = [
    ({"scenarios": [1]}, "REQUEST_INVALID", "scenario"),
    ({"scenarios": [None]}, "REQUEST_INVALID", "scenario"),
    ({"scenarios": 1}, "REQUEST_INVALID", "scenarios"),
    ({"by": 1}, "REQUEST_INVALID", "by"),
    ({"by": [1]}, "REQUEST_INVALID", "by"),
    ({"switches": ["a"]}, "REQUEST_INVALID", "switches"),
    ({"draws": "x"}, "PARAMETER_INVALID", "draws"),
    ({"seed": []}, "PARAMETER_INVALID", "seed"),
    ({"response": []}, "PARAMETER_INVALID", "response"),
    ({"horizon": {}}, "PARAMETER_INVALID", "horizon"),
    ({"parameters": []}, "PARAMETER_INVALID", "parameters"),
    ({"parameter_set": "a\0b"}, "PARAMETER_INVALID", "parameter_set"),
    ({"date_format": 4}, "REQUEST_INVALID", "date_format"),
    ({"on": [1]}, "ENTRY_DATE_INVALID", "on"),
]


@pytest.mark.parametrize(
    ("verb", "given", "reason", "field"),
    [*(("duty", *row) for row in OF_DUTY), *(("impact", *row) for row in OF_IMPACT)],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    verb: str, given: dict[str, Any], reason: str, field: str
) -> None:
    line = {"hts": "9503.00.0073", "origin": "CN", "entry_date": "2026-07-01", "value": 1}
    plain = line if verb == "duty" else {"lines": TABLE, **NO_RESPONSE}
    with Client("127.0.0.1:1") as unserved, refuses(reason, field):
        getattr(unserved, verb)(**{**plain, **given})


def test_a_number_or_day_that_only_the_law_judges_is_refused(client: Client) -> None:
    for value in (1e300, Decimal("1E+999999"), 10**5000):
        with refuses("CUSTOMS_VALUE_INVALID", "customs_value"):
            client.duty("9503.00.0073", "CN", "2026-07-01", value)
    wrong_day: Any = 1.5
    with refuses("ENTRY_DATE_INVALID", "entry_date"):
        client.duty("9503.00.0073", "CN", wrong_day, 1)


@pytest.mark.parametrize("name", sorted(RunOptions.__annotations__))
def test_every_option_refuses_values_of_no_use(client: Client, name: str) -> None:
    for wrong in (1.5 + 1j, [[1]], object(), "\udc80", np.array([1, 2]), pl.Series([True])):
        with pytest.raises(InvalidRequest, check=lambda error: error.field is not None):
            client.impact(TABLE, **{**NO_RESPONSE, name: wrong})


@pytest.mark.parametrize("scenarios", ["base", ["base"]])
def test_scenarios_in_the_place_of_the_table_are_told_theirs(client: Client, scenarios: Any) -> None:
    with refuses("TABLE_UNREADABLE", said="scenarios="):
        client.impact(scenarios, on="2026-07-01")


def test_none_is_the_default_of_every_option() -> None:
    given = read_spec("impact", dict.fromkeys(RunOptions.__annotations__))
    assert given == read_spec("impact", {})


@pytest.mark.parametrize("name", ["attribute", "include_lines"])
def test_flags_of_other_libraries_keep_their_value(client: Client, name: str) -> None:
    for given in (True, np.True_, 1, False, np.False_, 0):
        request = run_request(SimulateRequest, read_spec("impact", {name: given}))
        assert getattr(request, name) is bool(given)
    with refuses("PARAMETER_INVALID", name):
        client.impact(TABLE, **{**NO_RESPONSE, name: "no"})


@pytest.mark.parametrize("verb", ["impact", "timeline", "sweep", "seek", "start", "lines"])
def test_a_name_that_is_no_option_is_told_with_what_was_meant(client: Client, verb: str) -> None:
    given: dict[str, Any] = {"horizn": "long"}
    given |= TWO_DAYS if verb == "timeline" else {}
    given |= {"vary": ("cn", "0%", "1%"), "target": ("duty", 1)} if verb == "seek" else {}
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'horizn'\. Did you mean 'horizon'\?"):
        list(getattr(client, verb)(TABLE, **given))


@pytest.mark.parametrize("options", [LawOptions, ResponseOptions, TimelineOptions, RunOptions])
def test_the_help_of_options_explains_each_once(options: Any) -> None:
    explained = re.findall(r"^    (\w+): ", inspect.cleandoc(options.__doc__), re.MULTILINE)
    assert sorted(explained) == sorted(options.__annotations__)


def test_arguments_of_the_other_calls_are_refused_alike(client: Client) -> None:
    calls: list[Any] = [
        lambda wrong: client.timeline(TABLE, [wrong], **TWO_DAYS),
        lambda wrong: client.timeline(TABLE, **{**TWO_DAYS, "start": wrong}),
        lambda wrong: client.refund(TABLE, authorities=wrong),
        lambda wrong: client.refund(TABLE, interest_rate=wrong),
        lambda wrong: client.duties(TABLE, switches=wrong),
        lambda wrong: client.changes(wrong, "2026-01-01"),
        lambda wrong: client.changes("2026-01-01", "2026-01-01", hts=wrong),
        lambda wrong: client.port_fees(kind=wrong),
        lambda wrong: client.port_fees(ship=wrong),
        lambda wrong: client.measure(wrong),
        lambda wrong: client.measures(wrong),
        lambda wrong: client.scenario(wrong),
        lambda wrong: client.check(wrong),
        lambda wrong: client.diff("base", wrong),
        lambda wrong: Scenario.base().on(wrong),
    ]
    for call in calls:
        with pytest.raises(InvalidRequest):
            call(1.5 + 1j)


@pytest.mark.parametrize(
    "given",
    ["truce-lapses", Scenario.named("truce-lapses"), (one for one in ["truce-lapses"])],
    ids=["text", "scenario", "generator"],
)
def test_one_scenario_is_a_list_of_one_and_recorded_as_one(client: Client, given: Any) -> None:
    found = client.impact(TABLE, given, by="origin", **NO_RESPONSE)
    assert found.total["scenario"].to_list() == ["truce-lapses"]
    assert found.groups["origin"].to_list() == ["CN"]
    call: Any = found.provenance["request"]
    assert [one["name"] for one in call["scenarios"]] == ["truce-lapses"]
    assert call["options"]["by"] == ["origin"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(1.5), "1.5"), (np.int64(7), "7"), (Fraction(5, 4), "1.25"), (12345678901.25, "12345678901.25"),
        (1e14, "100000000000000"), (12500, "12500"), (0.1, "0.1"), (0.1 + 0.2, "0.3"), (float("nan"), "nan"),
        (Decimal("1E+3"), "1000"), (" 7.50 ", "7.50"),
    ],
)  # fmt: skip
def test_numbers_are_decimal_text_of_their_value(value: Any, text: str) -> None:
    options: Any = dict.fromkeys(["claims", "quantity", "unit", "mode", "freight", "insurance"])
    assert duty_line("9503000073", "CN", None, value, **options).customs_value == text
    assert [one.amount for one in charge_messages({"other": [value, 2]})] == [text, "2"]


def test_claims_take_the_type_of_their_field() -> None:
    given: dict[str, ClaimValue] = {"usmca_share": Decimal("0.25"), "fta_share": "1", "donation": "yes"}
    given |= {"model_year": "1999", "smelt_cast_origin": " RU ", "processing_value": 120.5}
    given |= {"informational": "0"}
    message = claims_message(given)
    assert (message.usmca_share, message.fta_share, message.donation) == (0.25, 1.0, True)
    assert (message.informational, message.HasField("informational")) == (False, True)
    found = (message.model_year, message.smelt_cast_origin, message.processing_value)
    assert found == (1999, "RU", "120.5")
    names = [name for name in duty_service_pb2.Claims.DESCRIPTOR.fields_by_name if name != "others"]
    message = claims_message(dict.fromkeys(names, "1"))
    assert [name for name in names if message.HasField(name)] == names


def test_a_scenario_is_checked_from_standard_input(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"schema: tariffs.scenario/v1\nid: x\n")))
    assert "A scenario needs the key 'title'" in cli.out(["scenario", "check", "-", "--local"], 4)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"schema: \xff\n")))
    with refuses("SCENARIO_SYNTAX", "scenario"):
        run(["scenario", "check", "-", "--local"])


@pytest.mark.parametrize("timeout", [0, 0.0, -1, float("inf"), float("nan"), True, "5"])
@pytest.mark.parametrize(
    "call",
    [
        lambda client, timeout: client.duty("9503.00.0073", "CN", value=1, timeout=timeout),
        lambda client, timeout: client.duties(TABLE, timeout=timeout),
        lambda client, timeout: client.refund(TABLE, timeout=timeout),
        lambda client, timeout: client.impact(TABLE, timeout=timeout, **NO_RESPONSE),
        lambda client, timeout: client.timeline(TABLE, timeout=timeout, **TWO_DAYS),
        lambda client, timeout: client.sweep(TABLE, vary={"cn": ["1%"]}, timeout=timeout),
        lambda client, timeout: client.lines(TABLE, on="2026-07-01", timeout=timeout),
        lambda client, timeout: client.changes("2026-07-01", "2026-07-02", timeout=timeout),
        lambda client, timeout: client.check_table(TABLE, timeout=timeout),
        lambda client, timeout: client.port_fees(timeout=timeout),
        lambda client, timeout: client.law(timeout=timeout),
    ],
)
def test_no_time_is_refused_and_not_the_default(client: Client, call: Any, timeout: object) -> None:
    with refuses("PARAMETER_INVALID", "timeout"):
        call(client, timeout)
