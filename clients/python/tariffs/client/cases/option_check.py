"""Compare lawful options of a line with what a case expects of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tariffs.client.cases.case_file import Case
from tariffs.client.cases.values import difference, names_of
from tariffs.client.results.duty_options import ScenarioOptions

OF_OPTIONS = frozenset({"options", "best"})
"""Expectations that `Client.options` answers."""
_COSTS = ("duty", "fees", "refunded", "drawback", "cash", "day")
_WORDS = ("state", "day")


def option_differences(case: Case, found: ScenarioOptions) -> Iterator[str]:
    """List what came otherwise of options by their ids, and of the set of them that saves most."""
    by_id = {option.id: option for option in found.options}
    for name, wanted in case.expect.get("options", {}).items():
        if name in by_id:
            yield from _differences(f"option {name}", wanted, by_id[name], case.tolerance)
        else:
            yield f"option {name}: expected, came none ({', '.join(by_id)})"
    if "best" in case.expect:
        yield from _differences("best", case.expect["best"], found.best, case.tolerance)


def _differences(label: str, wanted: Any, option: Any, tolerance: Decimal) -> Iterator[str]:
    for key, value in wanted.items():
        came = getattr(option.cost if key in _COSTS else option, key, None)
        if isinstance(came, tuple):
            if (names := names_of(value)) != sorted(came):
                yield f"{label} {key}: expected {', '.join(names) or 'none'}, came {', '.join(came) or 'none'}"
        elif key == "why":
            if value not in str(came):
                yield f"{label} why: expected {value} in it, came {came}"
        elif key in _WORDS:
            if value != came:
                yield f"{label} {key}: expected {value}, came {came}"
        else:
            yield from difference(f"{label} {key}", value, came, tolerance)
