from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tariffs.client import InvalidRequest, NotFound, Scenario
from tariffs.client._arguments import day, money
from tariffs.client._wire.claim_message import ClaimValue, claims_message
from tariffs.client._wire.requests import duty_line, scenario_ref, simulate_request
from tariffs.client._wire.run_options import read_spec
from tariffs.v1 import common_pb2, duty_service_pb2, simulation_service_pb2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12500, "12500"),
        (0.1, "0.1"),
        (1e14, "100000000000000"),
        (0.1 + 0.2, "0.3"),
        (float("nan"), "nan"),
        (Decimal("1E+3"), "1000"),
        (" 7.50 ", "7.50"),
    ],
)
def test_money_is_decimal_text_without_exponent(value: Decimal | float | str, text: str) -> None:
    assert money(value, "customs_value") == text


def test_no_money_is_empty_text() -> None:
    assert money(None, "customs_value") == ""


def test_days_are_iso_text_and_nothing_is_the_law_own_day() -> None:
    assert day(date(2025, 2, 1), "entry_date") == "2025-02-01"
    assert day("2025-02-01 ", "entry_date") == "2025-02-01"
    assert day(None, "entry_date") == ""


def test_an_undeclared_claim_is_not_a_declared_no() -> None:
    message = claims_message({"donation": False})
    assert message.HasField("donation")
    assert not message.HasField("informational")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("usmca_share", "1", 1.0),
        ("usmca_share", Decimal("0.25"), 0.25),
        ("donation", "yes", True),
        ("donation", "0", False),
        ("model_year", "1999", 1999),
        ("smelt_cast_origin", " RU ", "RU"),
        ("processing_value", 120.5, "120.5"),
    ],
)
def test_claims_take_the_type_of_their_field(name: str, value: ClaimValue, read: object) -> None:
    assert getattr(claims_message({name: value}), name) == read


@pytest.mark.parametrize(
    ("name", "value"), [("usmca_share", "all"), ("donation", "perhaps"), ("model_year", "new")]
)
def test_a_claim_of_the_wrong_type_names_its_field(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        claims_message({name: value})
    assert (caught.value.reason, caught.value.field) == ("CLAIM_INVALID", f"claims.{name}")
    assert caught.value.exit_code == 1


def test_a_claim_without_a_field_travels_by_name() -> None:
    assert dict(claims_message({"new_fact": True, "other": 0.5}).others) == {
        "new_fact": "true",
        "other": "0.5",
    }


def test_every_claim_field_can_be_declared() -> None:
    names = [name for name in duty_service_pb2.Claims.DESCRIPTOR.fields_by_name if name != "others"]
    message = claims_message(dict.fromkeys(names, "1"))
    assert [name for name in names if message.HasField(name)] == names


def test_an_unknown_mode_says_which_there_are() -> None:
    with pytest.raises(InvalidRequest, match="ocean, 10, 11"):
        duty_line(
            "9503",
            "CN",
            None,
            1,
            claims=None,
            quantity=None,
            unit=None,
            mode="bicycle",
            freight=None,
            insurance=None,
        )


def test_scenarios_go_by_name_or_with_their_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("schema: tariffs.scenario/v1\n")
    assert scenario_ref("base") == common_pb2.ScenarioRef(name="base")
    assert scenario_ref(str(file)) == common_pb2.ScenarioRef(yaml="schema: tariffs.scenario/v1\n")
    assert scenario_ref(None) is None


def test_a_missing_scenario_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        Scenario.of(tmp_path / "none.yaml")
    assert (caught.value.reason, caught.value.exit_code) == ("SCENARIO_NOT_FOUND", 4)


def test_a_scenario_may_have_a_day_of_its_own() -> None:
    request = simulate_request(
        ["base", Scenario.base().on(date(2025, 12, 1))], read_spec("impact", {}, on="2026-11-20")
    )
    assert [point.on for point in request.points] == ["2026-11-20", "2025-12-01"]


def test_options_become_the_message(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_bytes(b"hts,sigma\n")
    options = {"response": "none", "horizon": "short", "parameters": table, "switches": {"a": "b"}}
    request = simulate_request(["base"], read_spec("impact", options, by=["hts2"]))
    assert request.response == simulation_service_pb2.RESPONSE_MODEL_NONE
    assert request.horizon == simulation_service_pb2.HORIZON_SHORT
    assert request.parameter_csv == b"hts,sigma\n"
    assert (list(request.by), dict(request.switches)) == (["hts2"], {"a": "b"})
    assert simulate_request(["base"], read_spec("impact", {"parameters": "low"})).parameter_set == "low"


@pytest.mark.parametrize(
    "options",
    [{"response": "gravity"}, {"horizon": "ever"}, {"parameters": "none-such.csv"}],
)
def test_a_bad_option_is_a_usage_error(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        simulate_request(["base"], read_spec("impact", options))
    assert (caught.value.reason, caught.value.exit_code) == ("PARAMETER_INVALID", 2)
