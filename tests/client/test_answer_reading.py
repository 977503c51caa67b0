"""Messages are read into dataclasses by the names and types of their fields."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from tariffs.client._wire.reading import read, read_all
from tariffs.client.results.law import LawVersion, Measure, NamedList
from tariffs.client.results.law_changes import LawChange
from tariffs.client.results.quote import Layer, Note
from tariffs.client.results.stored_scenario import ScenarioEvent
from tariffs.v1 import common_pb2, duty_service_pb2, law_service_pb2, scenario_service_pb2


@dataclass(frozen=True)
class Text:
    message: str


@dataclass(frozen=True)
class Gap:
    reason: str
    own: str = "default"
    message: str = ""


def test_fields_are_read_by_name_and_the_others_have_their_default() -> None:
    note = common_pb2.Note(reason="NO_RATE", message="There is none.")
    assert read(Note, note) == Note("NO_RATE", "There is none.")
    assert read(Text, note) == Text("There is none.")
    assert read(Gap, note) == Gap("NO_RATE", "default", "There is none.")
    assert read(Gap, note, message="mine") == Gap("NO_RATE", "default", "mine")


def test_a_field_that_nothing_gives_is_an_error() -> None:
    with pytest.raises(TypeError, match="missing"):
        read(NamedList, common_pb2.Note())


def test_what_is_not_set_is_none_where_the_type_allows_it() -> None:
    free = duty_service_pb2.Layer(base="10", amount="1.00", min="1", max="2")
    taxed = duty_service_pb2.Layer(base="10", amount="1.00", min="1", max="2", rate="0.1")
    assert [one.rate for one in read_all(Layer, (free, taxed))] == [None, Decimal("0.1")]
    assert read(LawChange, law_service_pb2.LawChange()).step is None
    assert read(LawChange, law_service_pb2.LawChange(step=0)).step == 0


def test_enums_are_words_and_those_of_a_newer_server_numbers() -> None:
    states = [
        read(LawVersion, law_service_pb2.LawVersion(state=number)).state  # type: ignore[arg-type]
        for number in (0, law_service_pb2.LAW_STATE_REFUSED, 77)
    ]
    assert states == ["", "refused", "77"]
    event = scenario_service_pb2.ScenarioEvent(kind=99)  # type: ignore[arg-type]
    assert read(ScenarioEvent, event, check_law_version="").kind == "99"


def test_messages_within_messages_and_names_of_the_wire() -> None:
    period = law_service_pb2.Period(id="a", start_time="2025-01-01", confidence="CONFIDENCE_B")
    period.rows.add(goods="toys", charge="10%")
    period.switches.update({"z": "1", "a": "2"})
    measure = read(Measure, law_service_pb2.Measure(id="m", periods=[period], direction="DIRECTION_EXPORT"))
    (made,) = measure.periods
    assert (made.start, made.end, made.confidence, made.rows[0].goods) == ("2025-01-01", "", "B", "toys")
    assert (measure.direction, list(made.switches)) == ("export", ["a", "z"])
