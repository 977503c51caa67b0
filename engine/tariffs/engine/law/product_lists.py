"""Dated product lists, and the acts that change them (docs/law-data.md, Lists)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from tariffs.engine.law.amendments import read_words
from tariffs.engine.law.known_names import check_known
from tariffs.engine.law.model import holds, published
from tariffs.engine.law.raw_fields import Raw, check_keys, fault, keys, read_required
from tariffs.engine.law.values import CODE, digits, is_code, read_day

_SEPARATOR = "\n"
_CHANGE_KEYS = keys("day lists known_from cite note")
ListChanges = Mapping[str, Mapping[datetime, "ListChange"]]
"""By list and instant the acts that change lists."""


@dataclass(frozen=True, slots=True)
class ListChange:
    """The act that changes product lists on a day: its day of publication and its sources."""

    known_from: date
    cite: tuple[str, ...]


class ProductList:
    """A dated product list. Equal codes of two instants or `known_on` days are one tuple object.

    Args:
        codes: the codes of all times.
        days: by place among the codes, the instants between which a code is in force, [start, end); the others always
            are.
        changes: by instant the acts that change the list; a change without one is always known.
    """

    def __init__(
        self,
        codes: Sequence[str],
        days: Mapping[int, tuple[datetime | None, datetime | None]],
        changes: Mapping[datetime, ListChange],
    ) -> None:
        self.codes = tuple(codes)
        self.changes = changes
        self._days = days
        moments = {moment for period in days.values() for moment in period}
        self._boundaries = sorted(moment for moment in moments if moment is not None)
        self._publication_days = sorted({change.known_from for change in changes.values()})
        self._codes: dict[tuple[int, int], tuple[str, ...]] = {}
        self._equal: dict[tuple[str, ...], tuple[str, ...]] = {}

    @property
    def boundaries(self) -> Sequence[datetime]:
        """The instants at which the list changes."""
        return self._boundaries

    @property
    def publication_days(self) -> Sequence[date]:
        """Days on which changes of the list were published."""
        return self._publication_days

    def on(self, instant: datetime, known_on: date) -> tuple[str, ...]:
        """The codes in force at an instant by the changes published until a day."""
        if not self._days:
            return self.codes
        key = bisect_right(self._boundaries, instant), bisect_right(self._publication_days, known_on)
        if key not in self._codes:
            codes = tuple(self._spelled(instant, known_on))
            self._codes[key] = self._equal.setdefault(codes, codes)
        return self._codes[key]

    def _spelled(self, instant: datetime, known_on: date) -> Iterator[str]:
        always = (None, None)
        unknown = {at for at, change in self.changes.items() if not published(change.known_from, known_on)}
        for place, code in enumerate(self.codes):
            start, end = self._days.get(place, always)
            if start not in unknown and holds(start, None if end in unknown else end, instant):
                yield code


def read_lists(
    raw: Mapping[str, Sequence[Sequence[str]]], changes: Sequence[Raw], zone: ZoneInfo
) -> dict[str, ProductList]:
    """Read the product lists and list_changes.yaml."""
    acts = _read_changes(changes, zone)
    check_known(acts, raw, "product list", "list_changes")
    lists = {name: _read_list(name, rows, acts.get(name, {}), zone) for name, rows in raw.items()}
    for name, dated in acts.items():
        for at in sorted(dated.keys() - set(lists[name].boundaries)):
            raise fault("list_changes", f"{name} is no list that changes on {at.astimezone(zone).date()}")
    return lists


def _read_changes(raw: Sequence[Raw], zone: ZoneInfo) -> ListChanges:
    found: dict[str, dict[datetime, ListChange]] = defaultdict(dict)
    for index, item in enumerate(raw):
        path = f"list_changes[{index}]"
        check_keys(item, _CHANGE_KEYS, path)
        at = read_required(item, "day", lambda day: _day_begins(day, zone), path)
        known_from = read_required(item, "known_from", read_day, path)
        change = ListChange(known_from, read_words(item.get("cite", []), f"{path}.cite"))
        for name in read_words(item.get("lists", []), f"{path}.lists"):
            if at in found[name]:
                raise fault(f"{path}.lists", f"two items are of {name} on this day")
            found[name][at] = change
    return found


def _read_list(
    name: str, rows: Sequence[Sequence[str]], changes: Mapping[datetime, ListChange], zone: ZoneInfo
) -> ProductList:
    # The law has some 60,000 rows, nearly all without days, and is loaded for a single quote too.
    codes = digits(_SEPARATOR.join(code for code, _, _ in rows)).split(_SEPARATOR) if rows else []
    if not all(map(CODE.fullmatch, codes)) or len(codes) != len(rows):
        wrong = next(code for code, _, _ in rows if not is_code(code))
        raise fault(f"lists.{name}", f"{wrong!r} is not an HTS code")
    days = {
        place: (_day_begins(start, zone) if start else None, _day_begins(end, zone) if end else None)
        for place, (_, start, end) in enumerate(rows)
        if start or end
    }
    return ProductList(codes, days, changes)


@lru_cache(maxsize=1024)
def _day_begins(day: str, zone: ZoneInfo) -> datetime:
    """Read the instant at which a day of a product list begins: 00:01 on the law's clock.

    Proclamations take effect at "12:01 a.m. eastern time" of the day they name, and the lists of their annexes with
    them (so EO 14257 sec. 3(a), Proc 10908 cl. 1, 90 FR 14705); a list says only the day.
    """
    return datetime.fromisoformat(f"{day}T00:01").replace(tzinfo=zone).astimezone(UTC)
