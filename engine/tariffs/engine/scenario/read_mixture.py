"""Reading the components of a mixture: scenarios with probabilities that sum to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tariffs.engine.law.values import read_share
from tariffs.engine.scenario.model import Component

COMPONENTS_AT_MOST = 16
_KEYS = ("scenario", "weight")
Report = Callable[[str, str, str, str], None]


def read_mixture(document: Mapping[str, Any], report: Report) -> tuple[Component, ...]:
    """The components of a scenario document that has the key `mixture`.

    Args:
        document: the document as text, lists and mappings.
        report: takes reason, path, message and fix of each problem.
    """
    for key in ("changes", "parents"):
        if document.get(key):
            report(
                "SCENARIO_SYNTAX", key, f"A mixture has no {key} of its own.", "Put them into a component."
            )
    items = document["mixture"]
    if not isinstance(items, list) or not 1 <= len(items) <= COMPONENTS_AT_MOST:
        report(
            "SCENARIO_SYNTAX", "mixture", f"mixture is a list of 1 to {COMPONENTS_AT_MOST} components.",
            "Write [{scenario: NAME, weight: 60%}, ...].",
        )  # fmt: skip
        return ()
    found = [_component(item, f"mixture[{index}]", report) for index, item in enumerate(items)]
    known = tuple(part for part in found if part)
    total = sum((part.weight for part in known), Decimal(0))
    if len(known) == len(found) and total != 1:
        report("SCENARIO_SYNTAX", "mixture", f"The weights sum to {total:f}.", "Let them sum to 1.")
    return known


def _component(item: Any, path: str, report: Report) -> Component | None:
    if not isinstance(item, Mapping) or not all(isinstance(item.get(key), str) for key in _KEYS):
        report("SCENARIO_SYNTAX", path, "A component has `scenario` and `weight`.", "Write both.")
        return None
    for key in item:
        if key not in _KEYS:
            report(
                "SCENARIO_UNKNOWN_KEY", f"{path}.{key}", f"A component has no key {key!r}.", "Leave it out."
            )
    try:
        return Component(item["scenario"], read_share(item["weight"]))
    except ValueError as error:
        report(
            "SCENARIO_SYNTAX", f"{path}.weight", f"{str(error)[0].upper()}{str(error)[1:]}.", "Correct it."
        )
        return None
