"""Requests in good faith that are answered in a moment, as JSON of the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.service.question_requests import of_questions

POINT = {"scenario": {"name": "base"}, "on": "2026-07-01"}
PLAIN = {"response": "RESPONSE_MODEL_NONE"}
CALLS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parent / "calls.json").read_text(encoding="utf-8")
)
SMALL = CALLS | {
    **of_questions(),
    "DutyService/CompareCodes": {"codes": ["8517", "950300"], "origin": "CN", "entry": "2026-07-01"},
    "DutyService/ListWatchEvents": {
        "lines": [{"line": {"hts": "9503000073", "origin": "CN", "customsValue": "10000"}}],
        "since": "2026-07-23",
        "end": "2026-07-24",
    },
    "DutyService/CalculateBom": {
        "rows": [
            {"part": "toy"},
            {
                "part": "doll",
                "parent": "toy",
                "line": {"hts": "9503000073", "origin": "CN", "customsValue": "10"},
            },
        ],
        "on": "2026-07-01",
    },
    "LawService/ListCodes": {"id": "fl301", "hts": "5208"},
    "SweepService/Sweep": {
        "scenario": {"name": "base"},
        "on": "2026-07-01",
        "grid": {"axes": [{"name": "elasticity.sigma", "values": ["x0.5:x1:x0.5"]}]},
        **PLAIN,
    },
    "SweepService/Seek": {
        "scenario": {"name": "rates-by-country"},
        "parameter": "start",
        "low": "2027-01-01",
        "high": "2027-01-02",
        "column": "duty",
        "target": 1e9,
        **PLAIN,
    },
    "SimulationService/CalculateCollections": {"start": "2025-01", "end": "2025-01", "by": ["month"]},
    "SimulationService/CompareTrade": {"known_on": "2026-02-24"},
}
