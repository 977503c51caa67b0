"""Check that the product codes of a scenario exist in a schedule or a list of the law."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.values import is_code
from tariffs.engine.schedule.lines import Schedule, load_schedule

# Digits that the schedules of all countries share.
_SHARED_DIGITS = 6


def unknown_codes(law: Law, scope: Scope, abroad: bool, path: str) -> Iterator[ScenarioError]:
    """The error NOTHING_MATCHED of every code of a scope that no line of a schedule or list begins with.

    Args:
        law: the law whose lists count.
        scope: the scope.
        abroad: whether the codes may be those of another country; then their first six digits count.
        path: the path of the scope.
    """
    keys = (("products", frozenset[str]().union(*scope.products)), ("not_products", scope.not_products))
    for key, names in keys:
        for code in sorted(filter(is_code, names)):
            if not _is_known(law, code[:_SHARED_DIGITS] if abroad else code):
                near = ", ".join(_nearest(load_schedule(), code))
                yield ScenarioError(
                    "NOTHING_MATCHED",
                    f"No schedule and no list of the law has the code {code!r}.",
                    path=f"{path}.{key}",
                    fix=f"Nearest codes: {near}.",
                    metadata={"name": code, "nearest": near.replace(", ", ",")},
                )


def _is_known(law: Law, code: str) -> bool:
    """Test whether a code is a chapter, heading or line of a schedule, or stands in a list; half a level is none."""
    if len(code) % 2:
        return False
    place = bisect_left(law.listed_codes, code)
    listed = place < len(law.listed_codes) and law.listed_codes[place].startswith(code)
    return listed or load_schedule().knows(code)


def _nearest(schedule: Schedule, code: str) -> list[str]:
    """The nearest codes of the same level, the next lower one for half a level."""
    length = len(code) + len(code) % 2
    return list(dict.fromkeys(line[:length] for line in schedule.nearest(code, n=12)))[:3]
