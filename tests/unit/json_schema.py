"""As much of JSON Schema as the scenario schema uses, so that it can be tested without another dependency."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "boolean": bool,
}


def faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str = "") -> list[str]:
    """Where a value breaks a schema."""
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root, path)
    for key, few in (("anyOf", 1), ("oneOf", 1)):
        if key in schema:
            fits = sum(not faults(value, one, root, path) for one in schema[key])
            return [] if fits == few or (key == "anyOf" and fits) else [f"{path}: fits {fits} of {key}"]
    found = []
    types = schema.get("type", [])
    kinds = [types] if isinstance(types, str) else types
    if kinds and not any(isinstance(value, _TYPES[kind]) for kind in kinds):
        return [f"{path}: is no {kinds}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{path}: is not {schema['const']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path}: does not match")
    if isinstance(value, dict):
        found += [f"{path}.{key}: missing" for key in schema.get("required", []) if key not in value]
        known = schema.get("properties", {})
        for key, inner in value.items():
            if key in known:
                found += faults(inner, known[key], root, f"{path}.{key}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{path}.{key}: unknown")
            elif isinstance(others := schema.get("additionalProperties"), dict):
                found += faults(inner, others, root, f"{path}.{key}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += faults(item, schema.get("items", {}), root, f"{path}[{index}]")
    return found
