"""First half of the plain interpreter: what of a law exists, is known, reaches a line and stands at its instant.

It reads the text form of docs/law-data.md with dicts and loops and shares no code with the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from tests.law.plain_rows import once, plain_rows

Raw = dict[str, Any]
Standing = tuple[list[Raw], list[Raw], list[Raw], datetime, bool]
NEVER = "9999-01-01"


@cache
def instant(text: str, zone: ZoneInfo, hour: str = "12:00") -> datetime:
    moment = datetime.fromisoformat(text if "T" in text else f"{text}T{hour}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


@cache
def number(text: str) -> Fraction:
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def listed(found: Any) -> list[Any]:
    return [found] if isinstance(found, str) else list(found)


def market(law: Raw, to: str) -> Raw:
    """The market that goods go to: the home market, or that of an ISO code; nothing where the law has none."""
    markets = law.get("markets", {}).values()
    return next((one for one in markets if (one["country"] == to if to else "home" in one)), {})


def named_by(events: Iterable[Raw], measure: Raw) -> list[tuple[Raw, list[str | None]]]:
    """The events that name a measure, with the periods that each names or None."""
    found: list[tuple[Raw, list[str | None]]] = []
    for event in events:
        selector = event.get("measures", {})
        ids, node = listed(selector.get("id", [])), selector.get("authority")
        labels: list[str | None] = [p["id"] for p in measure.get("periods", []) if p["id"] in ids]
        under = not labels and node and f"{measure['authority']}.".startswith(node + ".")
        if measure["id"] in ids or under:
            labels = [None]
        if labels:
            found.append((event, labels))
    return found


class Moment:
    """One law as one line meets it at its instant, by the acts known on a day."""

    def __init__(
        self, law: Raw, line: Raw, known_on: str, switches: Mapping[str, str], changes: Iterable[Raw]
    ) -> None:
        self.law, self.line = law, line
        self.zone = ZoneInfo(
            market(law, line.get("to", "")).get("clock") or law["version"]["clock"]["import"]
        )
        self.at = instant(line["entry"], self.zone)
        self.known_on = known_on or law["version"]["as_of"]
        self.switches = {name: switch["default"] for name, switch in law["switches"].items()} | dict(switches)
        self.such: dict[str, bool] = {}
        self.changes = [{"known_from": "0001-01-01", **change} for change in changes]

    def passed(self, text: str | None, hour: str = "12:00") -> bool:
        return bool(text) and instant(str(text), self.zone, hour) <= self.at

    def dated(self, start: str | None, end: str | None, hour: str = "12:00") -> bool:
        return (not start or self.passed(start, hour)) and not self.passed(end, hour)

    def exists(self, thing: Raw, start: str = "") -> bool:
        day = instant(start, self.zone).astimezone(self.zone).date().isoformat() if start else NEVER
        known: bool = thing.get("known_from", min(day, self.law["version"]["as_of"])) <= self.known_on
        return known and all(self.switches[name] == value for name, value in thing.get("switch", {}).items())

    def from_there(self, name: str) -> bool:
        entries = self.law["groups"].get(name, {"members": [name]})
        entries = [entries] if isinstance(entries, dict) else entries
        held = (entry for entry in entries if self.dated(entry.get("from"), entry.get("to")))
        return any(self.line["origin"] in entry["members"] for entry in held)

    def is_such(self, name: str) -> bool:
        if name not in self.such:
            mine = once(self.law, ("entries", name, self.line["hts"]), lambda: self.entries(name))
            changes = [c for c in self.law.get("list_changes", []) if name in c["lists"]]
            unknown = {c["day"] for c in changes if c["known_from"] > self.known_on}
            held = [(start, end) for _, start, end in mine if start not in unknown]
            self.such[name] = any(self.dated(s, "" if e in unknown else e, "00:01") for s, e in held)
        return self.such[name]

    def entries(self, name: str) -> list[tuple[str, str, str]]:
        entries = self.law["lists"].get(name, [(name, "", "")])
        return [entry for entry in entries if self.line["hts"].startswith(entry[0].replace(".", ""))]

    def reaches(self, scope: Raw) -> bool:
        def fits(key: str, test: Callable[[str], bool]) -> bool:
            inside = key not in scope or any(map(test, listed(scope[key])))
            return inside and not any(map(test, listed(scope.get("not_" + key, []))))

        is_in_both = "and_products" not in scope or any(map(self.is_such, listed(scope["and_products"])))
        return fits("origins", self.from_there) and fits("products", self.is_such) and is_in_both

    def holds(self, text: str, facts: Raw, undeclared: bool = False) -> bool:
        """A condition; an undeclared fact answers `undeclared` to a bare claim and no to a comparison."""
        negated, (claim, *test) = text.startswith("not "), text.removeprefix("not ").split()
        kind = "date" if claim == "entry_date" else self.law["claims"][claim]["type"]
        fact = self.at if claim == "entry_date" else facts.get(claim)
        if fact is None:
            return negated or (undeclared and not test)
        if not test or kind == "code":
            return (fact in test[1:] if test else bool(fact)) != negated
        left: Any = fact
        right: Any = instant(test[1], self.zone) if kind == "date" else number(test[1])
        signs = {"<": left < right, "<=": left <= right, "==": left == right}
        signs |= {">": left > right, ">=": left >= right}
        return bool(signs[test[0]]) != negated

    def acts(self, measure: Raw) -> Iterator[Raw]:
        """The known acts on a measure that reach the line, with their start and the period they are limited to."""
        for event, labels in self.named(measure):
            start = event.get("at") or event.get("from") or event.get("until", "")
            if self.exists(event, start) and self.reaches(event.get("measures", {})):
                yield from ({**event, "start": start or NEVER, "label": label} for label in labels)

    def named(self, measure: Raw) -> list[tuple[Raw, list[str | None]]]:
        """Acts that name a measure, with the periods that they name or None."""
        mine = {"id": measure["id"]}
        own = [{**act, "measures": mine | act.get("measures", {})} for act in measure.get("events", [])]
        acts = [*own, *self.law["events"]]
        written = once(self.law, ("acts", measure["id"]), lambda: named_by(acts, measure))
        return [*written, *named_by(self.changes, measure)]

    def period(self, measure: Raw, acts: list[Raw]) -> tuple[Raw, datetime] | None:
        """The period that holds and its start, after acts that move starts and written ends; or None."""
        known = [p for p in measure.get("periods", []) if "from" in p and self.exists(p, p["from"])]
        last = max(known, key=lambda p: instant(p["from"], self.zone), default=None)
        timed, begun = not any(act["op"] == "suspend" for act in acts), []
        for order, period in enumerate(known):
            start = instant(period["from"], self.zone)
            end = instant(period.get("to", NEVER), self.zone)
            for act in acts:
                if act["label"] == period["id"] or (act["label"] is None and period is last):
                    moved = instant(act.get("to") or act["start"], self.zone)
                    start = max(start, moved) if act["op"] == "delay" else start
                    end = max(end, moved) if act["op"] == "extend" and timed and "to" in period else end
                    end = min(end, moved) if act["op"] == "snap_back" and timed and "to" in period else end
            if start <= self.at:
                begun.append((start, order, period, end))
        if not begun:
            return None
        start, _, held, end = max(begun, key=lambda found: found[:2])
        return (held, start) if self.at < end else None

    def windows(self, acts: list[Raw]) -> list[tuple[datetime, datetime, str, Raw]]:
        """Suspensions as (from, until, on_end, act), in the order enacted."""
        made: list[tuple[datetime, datetime, str, Raw]] = []
        for act in acts:
            at = instant(act["start"], self.zone)
            if act["op"] == "suspend":
                made.append((at, instant(act.get("until", NEVER), self.zone), act["on_end"], act))
            elif act["op"] == "extend" and made:
                made[-1] = (made[-1][0], at, *made[-1][2:])
            elif act["op"] == "snap_back":
                made = [(a, min(b, at), "snap_back" if b > at else x, act) for a, b, x, act in made if a < at]
        return made

    def standing(self, measure: Raw) -> Standing | None:
        """(rows that reach the line, acts, open suspensions, start of the period, owed); None if not charged.

        A measure that is tested on a declared date, and stands at entry, is what it was on that date.
        """
        acts = list(self.acts(measure))
        found = self.standing_under(measure, acts)
        declared = self.line["claims"].get(measure.get("tested_on", ""))
        if found is not None and not found[2] and declared is not None:
            entered, self.at = self.at, min(self.at, instant(declared, self.zone))
            found = self.standing_under(measure, acts)
            self.at = entered
        return found and ([row for row in found[0] if self.reaches(row)], *found[1:])

    def standing_under(self, measure: Raw, acts: list[Raw]) -> Standing | None:
        on = measure.get("modelled") != "no" and measure.get("status") != "announced"
        on = on and self.exists({"known_from": "", "switch": measure.get("switch", {})})
        held = self.period(measure, acts) if on else None
        if held is None:
            return None
        acts = [act for act in acts if act["label"] in (None, held[0]["id"])]
        windows = self.windows(acts)
        undone = max((n for n, act in enumerate(acts) if act["op"] == "revalidate"), default=-1)
        voids = [act for n, act in enumerate(acts) if act["op"] == "invalidate" and n > undone]
        ends = [act["start"] for act in acts if act["op"] in ("terminate", "expire")]
        ends += [act.get("collection_stop", act["start"]) for act in voids]
        ended = [b for _, b, x, _ in windows if x == "terminate" and b <= self.at]
        over = [b for b in ended if not any(start <= b < end for start, end, *_ in windows)]
        if over or any(map(self.passed, ends)):
            return None
        voids = [act for act in voids if act.get("from_beginning") == "yes" or self.passed(act["start"])]
        voids += [act for act in acts if act["op"] == "enjoin" and self.dated(act["start"], act.get("until"))]
        openly = [act for a, b, _, act in windows if a <= self.at < b]
        rows = self.relieved(list(self.rows(held[0]["rows"], measure)), acts)
        return rows, acts, openly, held[1], not voids

    def rows(self, rows: Any, measure: Raw) -> Iterator[Raw]:
        spelled = once(self.law, ("rows", id(rows)), lambda: list(plain_rows(rows, self.law, measure)))
        for row in spelled:
            if row.get("known_from", "") <= self.known_on:
                for origin, (rate, heading) in row.get("by_origin", {}).items():
                    yield row | {"origins": origin, "rate": rate, "heading": heading}
                if "by_origin" not in row:
                    yield row

    def by_time(self, acts: list[Raw], *ops: str) -> list[Raw]:
        begun = [act for act in acts if act["op"] in ops and self.passed(act["start"])]
        return sorted(begun, key=lambda act: instant(act["start"], self.zone))

    def relieved(self, rows: list[Raw], acts: list[Raw]) -> list[Raw]:
        """The rows with exemptions granted, the latest first, and without those that lapsed."""
        for act in self.by_time(acts, "exempt", "lapse_exemption"):
            if act["op"] == "lapse_exemption":
                rows = [row for row in rows if row.get("kind", "add") != "add" or number(row["rate"])]
            elif not self.passed(act.get("until")):
                rows = [{"rate": "0%", "heading": act.get("heading", ""), "if": act.get("if", [])}, *rows]
        return rows
