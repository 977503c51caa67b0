"""Find the days of a window on which acts move quotes. Shared by questions over a period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal

from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.runs.law_history.law_changes import ChangeWindow, Notice, TableGoods, changes

Laws = Sequence[tuple[Decimal, Law]]
"""Laws of a scenario with their weights: one, or one for each component of a mixture."""
Days = Sequence[tuple[date | str | None, int]]
"""Entry days with their weights; None is the law's as-of day."""
_NOON = time(12)


def acts_by_day(
    laws: Laws, window: ChangeWindow, goods: TableGoods | None = None
) -> dict[date, list[Notice]]:
    """List the acts of a window by the first day whose quotes they may move, in order; `goods` as in `changes`."""
    found: dict[date, list[Notice]] = {}
    for _, law in laws:
        for notice in changes(law, window, goods=goods):
            if notice.at is not None:
                local = notice.at.astimezone(law.zones[IMPORT])
                # A day is quoted as of noon: an act that takes effect later moves the quotes of the next day.
                day = local.date() + timedelta(days=local.time() > _NOON)
                acts = found.setdefault(day, [])
                if window.holds_day(day) and all(notice.id != one.id for one in acts):
                    acts.append(notice)
    return {day: found[day] for day in sorted(found) if found[day]}


def days_of(laws: Laws, window: ChangeWindow) -> list[tuple[date, int]]:
    """Split a window into spans in which no act on its product takes effect: first day and length of each."""
    firsts = sorted({window.start, *acts_by_day(laws, window)})
    ends = [*firsts[1:], window.end + timedelta(days=1)]
    return [(first, (last - first).days) for first, last in zip(firsts, ends, strict=True)]
