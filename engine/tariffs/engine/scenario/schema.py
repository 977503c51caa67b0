"""The form of scenario files as JSON Schema (draft 2020-12), for editors: made from the verbs the parser knows.

`schema_text()` writes it; schema.json beside this file is its output. Values are texts in a
scenario; the schema also lets pass what a YAML reader makes of a bare number, day, or yes.
"""

from __future__ import annotations

import json
from typing import Any

from tariffs.engine.law.amendments import CHANGE_KEYS, OPS, SCOPE_KEYS, SELECTOR_KEYS, Verb
from tariffs.engine.law.model import CONFIDENCE, TERMS
from tariffs.engine.scenario.model import BASES, SCHEMA
from tariffs.engine.scenario.read_assumptions import KEY as ASSUMPTIONS
from tariffs.engine.scenario.read_assumptions import PORT_CALLS, SHARES, VOYAGE
from tariffs.engine.scenario.read_mixture import COMPONENTS_AT_MOST

_TEXT = {"type": ["string", "number", "boolean"]}
_WORDS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_MAPPING = {"type": "object"}
_INSTANT = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$"}
_RATE = {
    "anyOf": [
        {"type": "string", "pattern": r"^[+-]?\d{1,18}(\.\d{1,18})?%$|^0(\.\d{1,18})?$"},
        {"type": "number", "maximum": 1},
    ]
}
_WEIGHT = {
    "anyOf": [
        {"type": "string", "pattern": r"^[+-]?(\d{1,2}(\.\d{1,18})?|100(\.0{1,18})?)%$"},
        {"type": "string", "pattern": r"^[+-]?(0(\.\d{1,18})?|1(\.0{1,18})?)$"},
        {"type": "number", "minimum": -1, "maximum": 1},
    ]
}
_FIGURE = {"anyOf": [{"type": "string", "pattern": r"^\d{1,12}(\.\d{1,12})?$"}, {"type": "number"}]}
_BY_KEY: dict[str, Any] = {
    **dict.fromkeys(("at", "from", "until", "to", "collection_stop", "known_from"), _INSTANT),
    **dict.fromkeys(("rate", "kept", "share", "compliance"), _RATE),
    **dict.fromkeys(("if", "cite", *SCOPE_KEYS), _WORDS),
    **dict.fromkeys(("measure", "as", "switch"), _MAPPING),
    "base": {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(TERMS, _WEIGHT)},
    "by": {"type": "string", "pattern": r"^[+-]\d{1,18}(\.\d{1,18})?pp$|^x\d{1,18}(\.\d{1,18})?$"},
    "on_end": {"enum": ["snap_back", "terminate", "none_scheduled"]},
    "conf": {"enum": list(CONFIDENCE)},
    "measures": {"$ref": "#/$defs/selector"},
}


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file."""
    selector = {key: _WORDS if key in {"id", *SCOPE_KEYS} else _TEXT for key in SELECTOR_KEYS}
    component = {"scenario": _TEXT, "weight": _RATE}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "Scenario: dated edits to the law",
        "type": "object",
        "required": ["schema", "id", "title", "basis"],
        "additionalProperties": False,
        "properties": {
            "schema": {"const": SCHEMA},
            "id": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9._-]{0,99}$"},
            "title": {"type": "string", "minLength": 1},
            "description": {"type": "string"},
            "basis": {"enum": list(BASES)},
            "parents": _WORDS,
            "tags": _WORDS,
            "cite": _WORDS,
            "changes": {"type": "array", "items": {"oneOf": [_change(op, verb) for op, verb in OPS.items()]}},
            "mixture": {
                "type": "array",
                "minItems": 1,
                "maxItems": COMPONENTS_AT_MOST,
                "items": _closed(component, ["scenario", "weight"]),
            },
            ASSUMPTIONS: _closed(_assumed(), []),
        },
        "$defs": {"selector": _closed(selector, [])},
    }


def _assumed() -> dict[str, Any]:
    shares = {"type": "object", "additionalProperties": _RATE}
    known = {
        "share": _RATE,
        "kind": {"type": "string"},
        "ship": {"type": "string"},
        "source": {"type": "string"},
    }
    voyage = _closed({key: known.get(key, _FIGURE) for key in VOYAGE}, ["kind"])
    return {
        **dict.fromkeys(SHARES, shares),
        PORT_CALLS: {"type": "object", "additionalProperties": voyage},
    }


def _change(op: str, verb: Verb) -> dict[str, Any]:
    keys = sorted(CHANGE_KEYS[op] - {"op"})
    properties = {"op": {"const": op}, **{key: _BY_KEY.get(key, _TEXT) for key in keys}}
    return {"description": verb.text, **_closed(properties, ["op", *sorted(verb.required)])}


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def schema_text() -> str:
    """The schema as the file schema.json holds it."""
    return json.dumps(schema(), indent=1) + "\n"
