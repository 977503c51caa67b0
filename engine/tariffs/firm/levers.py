"""Read the levers: lawful ways to pay less duty on a line, as dated data with citations (levers.yaml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tariffs.engine.base.amounts import parse_number, parse_share
from tariffs.engine.errors import InputError
from tariffs.engine.law.values import read_day, read_yes
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.schedule.country_names import read_country

DATA = Path(__file__).with_name("levers.yaml")
DAY, SHARE, USD, NUMBER, YES, CODE, COUNTRY = "day", "share", "usd", "number", "yes", "code", "country"
_WEEKEND, _ONE = 5, timedelta(days=1)
FactValue = date | Decimal | str | bool
Facts = Mapping[str, FactValue]


@dataclass(frozen=True, slots=True)
class FactKind:
    """Fact that a user gives: its type, its text, and the value supposed where it is not given (empty is none)."""

    name: str
    type: str
    text: str
    suppose: str = ""


@dataclass(frozen=True, slots=True)
class AuthorityRule:
    """Rule on duties of an authority from a day on: kinds of drawback that return them, if a fact holds."""

    authority: str
    cite: tuple[str, ...]
    start: date | None = None
    kinds: frozenset[str] = frozenset()
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """Days on which duty is paid: working days after entry, or a working day of the month after."""

    summary_days: int
    statement_day: int
    days_of_year: Decimal
    years: frozenset[int]
    holidays: frozenset[date]

    def by_summary(self, entered: date) -> date:
        """Last day to deposit duty with the entry summary.

        Raises:
            InputError: ENTRY_DATE_OUT_OF_COVERAGE for a year whose holidays are not in the data.
        """
        return self._working_day(entered + _ONE, self.summary_days)

    def by_statement(self, entered: date) -> date:
        """Day on which the monthly statement of an entry is paid; raises as `by_summary`."""
        following = date(entered.year + entered.month // 12, entered.month % 12 + 1, 1)
        return self._working_day(following, self.statement_day)

    def _working_day(self, day: date, count: int) -> date:
        """Find the working day of a number, from a day on."""
        while True:
            if day.year not in self.years:
                raise InputError(
                    "ENTRY_DATE_OUT_OF_COVERAGE",
                    f"The holidays of {day.year} are not in the data, so the day of payment is unknown.",
                    field="entry_date",
                    fix=f"Use a day of {min(self.years)} to {max(self.years)}.",
                )
            if day.weekday() < _WEEKEND and day not in self.holidays:
                count -= 1
                if not count:
                    return day
            day += _ONE


@dataclass(frozen=True, slots=True)
class Lever:
    """Lawful way to pay less, or later.

    Attributes:
        id: name.
        title: short name in plain words.
        choice: levers of one choice exclude each other.
        cite: legal sources.
        conf: confidence in the reading, A to C.
        catch: conditions and costs.
        papers: documents that it needs.
        start, end: days [start, end) of entry on which it holds; None is open.
        needs: facts without which nothing is computed.
        needs_one: facts of which one is needed.
        uses: facts that change it where they are given.
        at: day whose rates hold: admission or withdrawal; empty for the day of entry.
        bonded: goods stay in customs custody until withdrawal, and exported ones are never entered.
        zone: the custody is a foreign-trade zone.
        closed_by_duties: duties that require privileged status close it.
        partner_exports_enter: exports to the partners of the USMCA pay as entries.
        years: years from admission within which the goods must leave; None is no limit.
        code: fact with the code that the goods are entered under.
        value: fact with the customs value.
        claims: claims with a text, `$FACT`, or `value-$FACT`.
        drawback: kind of drawback; empty for none.
        returns_fees: drawback returns the fees of the entry too.
        lesser_of: fact with the value of substituted goods.
        partner: drawback on exports to partners of the USMCA: full (empty), `lesser` of both duties, or `none`.
        refund: duty that is assessed and not owed comes back.
        weekly: fact with the number of entries that become one.
        with_zone: it goes only with a zone.
        monthly: duty is paid by the monthly statement.
    """

    id: str
    title: str
    choice: str
    cite: tuple[str, ...]
    conf: str
    catch: str
    papers: tuple[str, ...]
    start: date | None = None
    end: date | None = None
    needs: tuple[str, ...] = ()
    needs_one: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    at: str = ""
    bonded: bool = False
    zone: bool = False
    closed_by_duties: bool = False
    partner_exports_enter: bool = False
    years: int | None = None
    code: str = ""
    value: str = ""
    claims: Mapping[str, str] | None = None
    drawback: str = ""
    returns_fees: bool = False
    lesser_of: str = ""
    partner: str = ""
    refund: bool = False
    weekly: str = ""
    with_zone: bool = False
    monthly: bool = False

    def holds_on(self, day: date) -> bool:
        """Test whether the lever holds on a day of entry."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """List the facts it needs that are not given; of those of which one is enough, all or none."""
        lacking = tuple(name for name in self.needs if name not in facts)
        return lacking if any(name in facts for name in self.needs_one) else (*lacking, *self.needs_one)


@dataclass(frozen=True, slots=True)
class LeverData:
    """Levers, the facts they read, and the rules on authorities."""

    as_of: date
    facts: Mapping[str, FactKind]
    levers: tuple[Lever, ...]
    privileged_only: tuple[AuthorityRule, ...]
    drawback: tuple[AuthorityRule, ...]
    drawback_share: Decimal
    partners: str
    payment: Payment

    def read_facts(self, given: Mapping[str, str]) -> dict[str, FactValue]:
        """Read the facts that a user gives, by name.

        Raises:
            InputError: REQUEST_INVALID for a fact that no lever reads or a value of the wrong kind.
        """
        return {name: _read_fact(self._kind(name), text) for name, text in given.items()}

    def supposed(self, names: Sequence[str]) -> dict[str, FactValue] | None:
        """Values supposed for facts that are not given; None if one of them has none."""
        if any(not self.facts[name].suppose for name in names):
            return None
        return {name: _read_fact(self.facts[name], self.facts[name].suppose) for name in names}

    def _kind(self, name: str) -> FactKind:
        if name not in self.facts:
            known = ", ".join(sorted(self.facts))
            raise InputError("REQUEST_INVALID", f"No option reads a fact {name[:40]!r}.", field=f"facts.{name[:40]}",
                             fix=f"Give one of {known}.")  # fmt: skip
        return self.facts[name]


def rule_for(rules: Sequence[AuthorityRule], parents: Sequence[str], day: date) -> AuthorityRule | None:
    """Find the first rule that holds on a day for a duty under any of these nodes."""
    for rule in rules:
        if rule.authority in parents and (rule.start is None or rule.start <= day):
            return rule
    return None


@cache
def load_levers() -> LeverData:
    """Read the levers that come with the package."""
    return read_levers(load_yaml(DATA))


def read_levers(raw: Any) -> LeverData:
    """Read the levers from parsed YAML."""
    facts = {name: FactKind(name, **fields) for name, fields in raw["facts"].items()}
    paid = raw["payment"]
    return LeverData(
        read_day(raw["as_of"]),
        facts,
        tuple(map(_read_lever, raw["levers"])),
        tuple(map(_read_rule, raw["privileged_only"])),
        tuple(map(_read_rule, raw["drawback"])),
        parse_share(raw["drawback_share"]),
        raw["partners"],
        Payment(
            int(paid["summary_days"]),
            int(paid["statement_day"]),
            Decimal(paid["days_of_year"]),
            frozenset(map(int, paid["years"])),
            frozenset(map(read_day, paid["holidays"])),
        ),
    )


_LISTS = ("cite", "papers", "needs", "needs_one", "uses")
_SWITCHES = ("bonded", "zone", "partner_exports_enter", "returns_fees", "refund", "with_zone", "monthly")


def _read_lever(raw: Mapping[str, Any]) -> Lever:
    fields = dict(raw)
    own: dict[str, Any] = {name: tuple(fields.pop(name, ())) for name in _LISTS}
    own |= {name: read_yes(fields.pop(name)) for name in _SWITCHES if name in fields}
    own |= {
        name: read_day(fields.pop(key)) for key, name in (("from", "start"), ("to", "end")) if key in fields
    }
    if "years" in fields:
        own["years"] = int(fields.pop("years"))
    own["closed_by_duties"] = fields.pop("closed_by", "") == "privileged_only"
    return Lever(**fields, **own)


def _read_rule(raw: Mapping[str, Any]) -> AuthorityRule:
    start = read_day(raw["from"]) if "from" in raw else None
    kinds = frozenset(raw.get("kinds", ()))
    return AuthorityRule(raw["authority"], tuple(raw["cite"]), start, kinds, raw.get("if", ""))


def _read_fact(kind: FactKind, text: str) -> FactValue:
    field = f"facts.{kind.name}"
    if kind.type == COUNTRY:
        return read_country(text)[0]
    try:
        return _value_of(kind.type, text.strip())
    except ValueError as error:
        fix = f"Give the {kind.text}."
        raise InputError("REQUEST_INVALID", f"{kind.name}: {error}.", field=field, fix=fix) from None


def _value_of(kind: str, text: str) -> FactValue:
    if kind == DAY:
        return read_day(text)
    if kind == YES:
        return read_yes(text.lower())
    if kind == CODE:
        return text
    number = parse_share(text) if kind == SHARE else parse_number(text)
    if number < 0 or (kind == SHARE and number > 1) or (kind == NUMBER and number < 1):
        raise ValueError(f"{text[:40]!r} is out of range")
    return number
