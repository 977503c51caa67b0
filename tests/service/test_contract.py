"""The wire contract: generated code is that of the .proto files, and words agree with the engine's."""

from __future__ import annotations

import importlib.util
import re
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from google.protobuf import message_factory

from tariffs.engine.errors import REASONS, InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.conditions import MODE
from tariffs.engine.response.consumer_prices import METHODS
from tariffs.engine.response.elasticities.parameters import HORIZONS
from tariffs.engine.scenario import library
from tariffs.run_spec.spec import OPTIONS
from tariffs.service.rpc.checks import choice
from tariffs.service.rpc.duty import calculate_duty, read_line
from tariffs.service.rpc.messages import message_of
from tariffs.service.settings.settings import Settings
from tariffs.v1 import (
    common_pb2,
    duty_service_pb2,
    law_service_pb2,
    scenario_service_pb2,
    simulation_service_pb2,
)
from tests.service.harness import line

MODULES = (common_pb2, duty_service_pb2, law_service_pb2, scenario_service_pb2, simulation_service_pb2)
ENUMS = [(module, name) for module in MODULES for name in sorted(module.DESCRIPTOR.enum_types_by_name)]


def generator(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen", root / "proto" / "gen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_code_is_that_of_the_sources(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    sources = generator(root).generate(tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.py*"))
    assert len(made) == 3 * len(sources)
    for path in made:
        assert (tmp_path / path).read_bytes() == (root / "proto" / path).read_bytes(), (
            f"run `make gen`: {path}"
        )


@pytest.mark.parametrize(("module", "name"), ENUMS, ids=[name for _, name in ENUMS])
def test_enums_begin_at_unspecified_and_words_go_both_ways(module: Any, name: str) -> None:
    enum = getattr(module, name).DESCRIPTOR
    messages = [one for each in MODULES for one in each.DESCRIPTOR.message_types_by_name.values()]
    field = next(field for one in messages for field in one.fields if field.enum_type is enum)
    for number, value in enum.values_by_number.items():
        word = choice(enum, number, "field")
        assert (word == "") == (number == 0)
        assert value.name.endswith("_UNSPECIFIED") == (number == 0)
        if word:
            given = [word] if field.is_repeated else word
            kind = message_factory.GetMessageClass(field.containing_type)
            made = getattr(message_of(kind, SimpleNamespace(**{field.name: given})), field.name)
            assert made == ([number] if field.is_repeated else number)


def words_of(enum: Any) -> set[str]:
    return {choice(enum.DESCRIPTOR, number, "field") for number in enum.DESCRIPTOR.values_by_number} - {""}


def test_the_words_of_the_engine_are_those_of_the_wire() -> None:
    law = load_law()
    assert words_of(simulation_service_pb2.ResponseModel) == set(OPTIONS["response"].choices)
    assert words_of(simulation_service_pb2.Horizon) == set(HORIZONS)
    assert words_of(simulation_service_pb2.Market) == set(OPTIONS["market"].choices)
    assert words_of(simulation_service_pb2.ConsumerPriceMethod) == set(METHODS)
    assert {m.direction for m in law.measures.values()} <= words_of(common_pb2.Direction)
    assert {m.conf.lower() for m in law.measures.values()} <= words_of(law_service_pb2.Confidence)
    fields = set(duty_service_pb2.Claims.DESCRIPTOR.fields_by_name) - {"others"}
    assert "usmca_share" in fields <= law.claims.keys()
    assert {s.basis for s in library().values()} <= words_of(scenario_service_pb2.ScenarioBasis)


def test_every_claim_of_the_law_can_be_declared_even_without_a_field() -> None:
    sample = {"bool": "yes", "date": "2025-04-04", "code": "CA", "number": "2"}
    # A mode is a field of the line.
    claims = [claim for claim in load_law().claims.values() if claim.codes != MODE]
    for claim in claims:
        request = line()
        request.line.claims.others[claim.id] = sample.get(claim.type, "0.5")
        assert read_line(request.line).claims == {claim.id: sample.get(claim.type, "0.5")}
        assert Decimal(calculate_duty(request).assessed) >= 0
        if claim.type == "code":
            continue  # any text is read as a code
        request.line.claims.others[claim.id] = "(nothing)"
        # The law judges the value: a claim that was set aside would be answered.
        with pytest.raises(InputError) as caught:
            calculate_duty(request)
        assert (caught.value.reason, caught.value.field) == ("CLAIM_INVALID", f"claims.{claim.id}")


def test_a_claim_without_a_field_decides_the_duty_as_one_with_a_field_does() -> None:
    # EO 14195: nothing of USMCA here; goods of Canada that qualify pay no duty, others 25 % on 2025-04-09.
    request = line(origin="CA")
    plain = Decimal(calculate_duty(request).assessed)
    request.line.claims.others["usmca_share"] = "1"
    claimed = Decimal(calculate_duty(request).assessed)
    assert (plain, claimed) == (Decimal("2500.00"), Decimal("0.00"))


def test_the_page_on_the_service_lists_every_error_and_setting(root: Path) -> None:
    page = (root / "docs" / "service.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| ([A-Z_]+) \| `([A-Z_]+)` \| (.+) \| (\d) \|$", page, re.MULTILINE))
    assert listed == {(r.code, name, r.text, str(r.exit_code)) for name, r in REASONS.items()}
    assert set(re.findall(r"^\| `TARIFFS_([A-Z_]+)`", page, re.MULTILINE)) == {
        name.upper() for name in Settings.model_fields
    }
