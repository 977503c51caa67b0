"""Compare lawful options of a line with what a case expects of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tariffs.client.cases.case_file import Case
from tariffs.client.cases.values import CaseDifference, Place, difference, names_of
from tariffs.client.results.duty_options import ScenarioOptions

OF_OPTIONS = frozenset({"options", "best"})
"""Expectations that `Client.options` answers."""
_COSTS = ("duty", "fees", "refunded", "drawback", "cash", "day")
_WORDS = ("state", "day")


def option_differences(case: Case, found: ScenarioOptions) -> Iterator[CaseDifference]:
    """List what came otherwise of options by their ids, and of the set of them that saves most."""
    by_id = {option.id: option for option in found.options}
    for name, wanted in case.expect.get("options", {}).items():
        place = ("options", name)
        if name in by_id:
            yield from _differences(f"option {name}", place, wanted, by_id[name], case.tolerance)
        else:
            yield CaseDifference(f"option {name}: expected, came none ({', '.join(by_id)})", place)
    if "best" in case.expect:
        yield from _differences("best", ("best",), case.expect["best"], found.best, case.tolerance)


def _differences(
    label: str, place: Place, wanted: Any, option: Any, tolerance: Decimal
) -> Iterator[CaseDifference]:
    for key, value in wanted.items():
        came = getattr(option.cost if key in _COSTS else option, key, None)
        told, here = f"{label} {key}: expected", (*place, key)
        if isinstance(came, tuple):
            if (names := names_of(value)) != sorted(came):
                text = f"{told} {', '.join(names) or 'none'}, came {', '.join(came) or 'none'}"
                yield CaseDifference(text, here, [*came])
        elif key == "why":
            if value not in str(came):
                yield CaseDifference(f"{told} {value} in it, came {came}", here, came)
        elif key in _WORDS:
            if value != came:
                yield CaseDifference(f"{told} {value}, came {came}", here, came)
        else:
            yield from difference(f"{label} {key}", here, value, came, tolerance)
