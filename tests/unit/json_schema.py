"""Where a document breaks the published schema of scenarios."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from tariffs.engine.scenario.schema import json_schema

_READER = Draft202012Validator(json_schema())


def faults(document: Any) -> list[str]:
    return [fault.message for fault in _READER.iter_errors(document)]
