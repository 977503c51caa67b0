"""JSON Schema of the values of a scenario file."""

from __future__ import annotations

from pydantic import WithJsonSchema

from tariffs.engine.law.model import TERMS

# Digits at most, before and after the point: no ship and no rate of exchange needs more.
NUMBER = r"^\d{1,12}(\.\d{1,12})?$"

TEXT = {"type": "string"}
PARAMETER = {**TEXT, "pattern": r"^\$[a-z][a-z0-9_]{0,39}$"}
MAPPING = WithJsonSchema({"type": "object"})
SCALAR = {"type": ["string", "number", "boolean"]}
SCALARS = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]}
FIGURE = {"anyOf": [{**TEXT, "pattern": NUMBER}, {"type": "number"}, PARAMETER]}
DATE = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$"
INSTANT = {"anyOf": [{**TEXT, "pattern": DATE}, PARAMETER]}
PACE = r"^[+-]\d{1,18}(\.\d{1,18})?pp$|^x\d{1,18}(\.\d{1,18})?$"
STEP = {"anyOf": [{**TEXT, "pattern": PACE}, PARAMETER]}
FRACTION = r"^[+-]?\d{1,18}(\.\d{1,18})?%$|^0(\.\d{1,18})?$"
RATE = {"anyOf": [{**TEXT, "pattern": FRACTION}, {"type": "number", "maximum": 1}, PARAMETER]}
WEIGHT = {
    "anyOf": [
        {**TEXT, "pattern": r"^[+-]?(\d{1,2}(\.\d{1,18})?|100(\.0{1,18})?)%$"},
        {**TEXT, "pattern": r"^[+-]?(0(\.\d{1,18})?|1(\.0{1,18})?)$"},
        {"type": "number", "minimum": -1, "maximum": 1},
        PARAMETER,
    ]
}
BASE = {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(TERMS, WEIGHT)}
