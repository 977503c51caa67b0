"""Append the change of a form to the text of a scenario."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

EMPTY = """schema: tariffs.scenario/v1
id: your-scenario
title: Your scenario
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-12-01, rate: 20%}
"""
_PLAIN = re.compile(r"[A-Za-z0-9_.%+:-]+")
KEYS: Mapping[str, tuple[str, ...]] = {
    "set_rate": ("from", "rate"),
    "suspend": ("from", "until", "on_end"),
    "extend": ("until",),
    "snap_back": ("at",),
    "terminate": ("at",),
    "exempt": ("from", "until"),
    "revalidate": (),
}
"""Operations that the form writes, with the keys that each takes from it; all others can be typed."""


def with_change(text: str, values: Mapping[str, Any]) -> str:
    """Append the change of the form to the text of a scenario; empty fields are left out."""
    return f"{text.rstrip()}\n  - {_flow(_change(values))}\n"


def _change(values: Mapping[str, Any]) -> dict[str, object]:
    origins = [name for name in re.split(r"[,\s]+", values["origins"]) if name]
    measures = {"id": values["measure"]} | ({"origins": origins} if origins else {})
    known = {
        "from": values["start"],
        "at": values["start"],
        "until": values["until"],
        "rate": values["rate"],
        "on_end": "snap_back" if values["until"] else "none_scheduled",
    }
    op = values["op"]
    return {"op": op, "measures": measures} | {key: known[key] for key in KEYS[op] if known[key]}


def _flow(value: object) -> str:
    """Write a value in YAML on one line; text that YAML could read otherwise is quoted as in JSON."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value).strip()
    return text if _PLAIN.fullmatch(text) and not text.endswith(":") else json.dumps(text)
