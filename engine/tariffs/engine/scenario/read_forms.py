"""Whether a measure or rule written inside a scenario has texts where texts belong.

The law's own files are read once and by people who mean well; what a scenario brings is looked at before it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tariffs.engine.errors import ScenarioError

_TEXTS = frozenset(
    (
        "id", "title", "authority", "direction", "modelled", "status", "displaces_at_zero", "note", "conf", "from",
        "to", "known_from", "heading", "heading_at_zero", "split_heading", "kind", "column", "undeclared", "rate",
        "price", "up_to", "take", "pick", "text", "use",
    )
)  # fmt: skip
_LISTS = frozenset({"periods", "rows", "tiers"})
_MAPPINGS = frozenset({"base", "switch", "touches", "by_origin"})


def check_texts(value: Mapping[str, Any], path: str) -> None:
    """Refuse a mapping that has a list or mapping where a text is wanted, or the other way round.

    Raises:
        ScenarioError: SCENARIO_SYNTAX with the path of the value.
    """
    for key, inner in value.items():
        where = f"{path}.{key}"
        wanted = _wanted(key, inner)
        if wanted:
            raise ScenarioError(
                "SCENARIO_SYNTAX", f"{key} is {wanted}.", path=where, fix="See docs/law-data.md."
            )
        if key == "by_origin":
            _check_pairs(inner, where)
        elif isinstance(inner, Mapping):
            check_texts(inner, where)
        elif isinstance(inner, list):
            for index, item in enumerate(inner):
                if isinstance(item, Mapping):
                    check_texts(item, f"{where}[{index}]")


def _wanted(key: str, value: Any) -> str:
    """What a value should have been; empty if it is so."""
    if key in _TEXTS and not isinstance(value, str):
        return "a single value"
    if key in _LISTS and not (isinstance(value, list) and all(isinstance(item, Mapping) for item in value)):
        return "a list of mappings"
    if key in _MAPPINGS and not isinstance(value, Mapping):
        return "a mapping"
    return ""


def _check_pairs(value: Mapping[str, Any], path: str) -> None:
    for origin, pair in value.items():
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(item, str) for item in pair)):
            raise ScenarioError(
                "SCENARIO_SYNTAX",
                f"by_origin gives {origin} something else than a rate and a heading.",
                path=f"{path}.{origin}",
                fix="Write [RATE, HEADING], the rate as 15%.",
            )
