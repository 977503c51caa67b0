"""The law as immutable values: measures with periods and rows, claims, stacking rules, switches, groups.

docs/law-data.md describes the text form each value is read from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.values import UnitRate

# A line's value falls into disjoint parts, so that a base is a weight per part and content is never taken twice.
# `us_above` is US content beyond the cap; `processing` is not part of the value.
PARTS = ("steel", "aluminum", "copper", "us", "us_above", "rest", "processing")
STEEL, ALUMINUM, COPPER, US, US_ABOVE, REST, PROCESSING = range(len(PARTS))
METALS = (STEEL, ALUMINUM, COPPER)
# The terms a base is written in, and the parts each covers.
TERMS: Mapping[str, tuple[int, ...]] = {
    "full": (STEEL, ALUMINUM, COPPER, US, US_ABOVE, REST),
    "steel": (STEEL,),
    "aluminum": (ALUMINUM,),
    "copper": (COPPER,),
    "us": (US, US_ABOVE),
    "us_capped": (US,),
    "processing": (PROCESSING,),
}
CAPPED_TERM = "us_capped"
IMPORT, EXPORT, CONTROL = "import", "export", "control"
PROHIBITION = "prohibition"
# Stacking that replaces the base of a layer: of any, or of one that is charged on the full customs value.
TAKE_FULL_BASE = "full_base"
BASE_TAKES = ("base", TAKE_FULL_BASE)
# `topup_to` is measured against the ordinary duty alone, never against another layer: EO 14326 sec. 2(b) and EO 14345
# compare the rate with that of column 1.
KINDS = ("add", "topup_to", "total", "specific", "minimum_price", "ordinary", PROHIBITION)
CONFIDENCE = "ABCU"
Weights = tuple[Decimal, ...]
# US content counts outside the metal content only where a base treats a metal apart from the rest: a base that does not
# divides the value into these parts, whatever metal is in it.
WHOLE_PARTS = ("us", "us_above", "rest")
US_OF_WHOLE, ABOVE_OF_WHOLE, REST_OF_WHOLE = range(len(PARTS), len(PARTS) + len(WHOLE_PARTS))
NO_WEIGHTS: Weights = (Decimal(0),) * len(PARTS)
FULL_BASE: Weights = tuple(Decimal(part in TERMS["full"]) for part in range(len(PARTS)))


def treats_metal_apart(weights: Sequence[Any]) -> bool:
    """Test whether a base weighs some metal otherwise than the rest of the value."""
    return any(weights[metal] != weights[REST] for metal in METALS)


class Scope(NamedTuple):
    """Origins and products that something reaches.

    `origins` and `products` are conjunctions of any-of sets (an empty tuple is any); the `not_` sets take
    away. Entries are ISO codes or group names, and HTS digits or list names.
    """

    origins: tuple[frozenset[str], ...] = ()
    not_origins: frozenset[str] = frozenset()
    products: tuple[frozenset[str], ...] = ()
    not_products: frozenset[str] = frozenset()

    def narrowed(self, other: Scope) -> Scope:
        """Intersect two scopes."""
        return Scope(
            self.origins + other.origins,
            self.not_origins | other.not_origins,
            self.products + other.products,
            self.not_products | other.not_products,
        )

    @property
    def names(self) -> frozenset[str]:
        """Every country, group, code and list that it names."""
        return frozenset[str]().union(*self.origins, self.not_origins, *self.products, self.not_products)

    @property
    def is_any(self) -> bool:
        """True if nothing narrows the scope."""
        return not (self.origins or self.not_origins or self.products or self.not_products)


ANYWHERE = Scope()


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier of a specific rate: the rate for the quantity up to `up_to` (None: the rest)."""

    up_to: Decimal | None
    rate: UnitRate


class Row(NamedTuple):
    """One row of a period: the goods it fits, and its charge.

    `rate` is a fraction (add, topup_to, total; a prohibition has none); `tiers` hold a specific rate; `price` a
    minimum price; `column` the schedule's column for an ordinary rate; `metals` the metal parts its base names;
    `relief` marks a row enacted at 0.
    `suspended` marks a row inside a suspension that keeps nothing, `kept` one whose rate is the one that a suspension
    keeps; `absent` one whose scope was terminated: it fits and leaves no layer; `void` one that is assessed and not
    owed. `acts` names the period label and the acts that made the row. `known_from` is the day of publication of a row
    that was added to its period later; None is that of the period. `label` says what the row is, for readers alone.
    """

    kind: str
    scope: Scope = ANYWHERE
    conditions: tuple[Condition, ...] = ()
    rate: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    price: UnitRate | None = None
    column: str = ""
    base: Weights = FULL_BASE
    metals: tuple[int, ...] = ()
    heading: str = ""
    heading_at_zero: str = ""
    split_heading: str = ""
    undeclared_applies: bool = False
    relief: bool = False
    suspended: bool = False
    kept: bool = False
    absent: bool = False
    void: bool = False
    acts: tuple[str, ...] = ()
    known_from: date | None = None
    label: str = ""

    @property
    def exempt(self) -> bool:
        """True for an exemption: a rate of 0 reported under its heading."""
        return self.kind == "add" and self.rate == 0 and not self.suspended

    @property
    def charging(self) -> bool:
        """True if acts on the rate reach the row: neither a relief as enacted nor an ordinary rate of the schedule."""
        return not (self.relief or self.absent or self.kind == "ordinary")

    @property
    def prohibits(self) -> bool:
        """True if goods that the row fits may not be imported."""
        return self.kind == PROHIBITION and not self.suspended


def _all_but(*names: str) -> Callable[[Row], tuple[Any, ...]]:
    return attrgetter(*(name for name in Row._fields if name not in names))


# A row as it is compared with others, whatever acts made it; `CHARGE` is what makes a difference for duty,
# `ASSESSED` for duty assessed: a void row is owed no more.
BUT_ACTS = _all_but("acts", "known_from")
CHARGE = _all_but("acts", "known_from", "kept")
ASSESSED = _all_but("acts", "known_from", "kept", "void")


@dataclass(frozen=True, slots=True)
class Period:
    """Rows that an instrument enacted from an instant on, to an end only where the instrument writes one.

    `known_from` is the day of publication; None is always known.
    """

    id: str
    start: datetime | None
    end: datetime | None
    known_from: date | None
    rows: tuple[Row, ...]
    cite: tuple[str, ...]
    conf: str
    switch: Mapping[str, str]

    @property
    def publication_days(self) -> frozenset[date]:
        """Days on which the period and its rows were published."""
        days = (self.known_from, *(row.known_from for row in self.rows))
        return frozenset(day for day in days if day)

    def known(self, known_on: date) -> Period:
        """Reduce the period to the rows published until a day."""
        rows = tuple(row for row in self.rows if published(row.known_from, known_on))
        return self if len(rows) == len(self.rows) else replace(self, rows=rows)


@dataclass(frozen=True, slots=True)
class Measure:
    """One legal duty or prohibition through time. `direction` is import, export, port_call or control.

    `market` is the destination of a measure on exports, and the direction of any other.

    `tested_on` names the claim with the date on which it is tested, where that is not the date of entry.
    """

    id: str
    title: str
    authority: str
    direction: str
    periods: tuple[Period, ...]
    modelled: bool = True
    announced: bool = False
    displaces_at_zero: bool = False
    touches: Scope = ANYWHERE
    switch: Mapping[str, str] = field(default_factory=dict)
    cite: tuple[str, ...] = ()
    conf: str = "U"
    note: str = ""
    tested_on: str = ""
    market: str = IMPORT

    @property
    def parents(self) -> tuple[str, ...]:
        """The authority nodes above the measure, nearest first."""
        return nodes_above(self.authority)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its periods."""
        return tuple(p.id for p in self.periods)


@lru_cache(maxsize=1024)
def nodes_above(authority: str) -> tuple[str, ...]:
    """List a node of the authority tree and those above it, nearest first."""
    parts = authority.split(".")
    return tuple(".".join(parts[:n]) for n in range(len(parts), 0, -1))


@dataclass(frozen=True, slots=True)
class RuleEnd:
    """An act that ends a stacking rule at an instant."""

    at: datetime
    known_from: date
    switch: Mapping[str, str]
    cite: tuple[str, ...]
    conf: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A dated stacking rule, or a `one_of` group if `members` is not empty. Selectors are ids or nodes.

    `end` is the end that its own instrument writes, `ends` are later acts that end it; `leaves` names the families that
    it does not name on purpose. In [`known_from`, `known_until`)
    the rule is in the books; None is open.
    """

    id: str
    start: datetime | None
    end: datetime | None
    known_from: date | None
    switch: Mapping[str, str]
    when: tuple[str, ...]
    when_not: frozenset[str]
    conditions: tuple[Condition, ...]
    unless: tuple[Condition, ...]
    on: tuple[str, ...]
    take: str
    base: Weights
    members: tuple[str, ...]
    pick: str
    heading: str
    text: str
    cite: tuple[str, ...]
    conf: str
    ends: tuple[RuleEnd, ...] = ()
    leaves: tuple[str, ...] = ()
    known_until: date | None = None

    @property
    def replaces_base(self) -> bool:
        """Return True if the rule replaces the base of layers by its own."""
        return self.take in BASE_TAKES

    @property
    def moments(self) -> tuple[datetime | None, ...]:
        """Instants at which it begins or ends under some of the acts; None has no meaning."""
        return self.start, self.end, *(end.at for end in self.ends)

    @property
    def publication_days(self) -> frozenset[date]:
        """Days on which it or its end was published."""
        days = self.known_from, self.known_until, *(end.known_from for end in self.ends)
        return frozenset(day for day in days if day)


@dataclass(frozen=True, slots=True)
class Claim:
    """A fact about the goods. `type`: share, content, bool, date, code, number; `role`: relief, content, charge.

    `asks` are the scopes of goods where the fact is plausible: answers about such goods list the claim. `codes` says of
    a claim of type code which codes it takes: country, hts, or empty for any.
    """

    id: str
    type: str
    role: str
    partition: str
    asks: tuple[Scope, ...]
    reference: str
    text: str
    source: tuple[str, ...]
    codes: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """A doubtful fact or a settled choice, with its default."""

    id: str
    default: str
    values: tuple[str, ...]
    text: str
    cite: tuple[str, ...]
    conf: str


@dataclass(frozen=True, slots=True)
class Membership:
    """The members of a group in [start, end)."""

    members: frozenset[str]
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Program:
    """A special-rate program of the schedule: the countries that may claim it, and the claim."""

    symbol: str
    members: frozenset[str]
    claim: str


@dataclass(frozen=True, slots=True)
class ShareRule:
    """The share of lines a scope reaches."""

    scope: Scope
    share: Decimal


@dataclass(frozen=True, slots=True)
class Reference:
    """A sourced share for table lines that declare none.

    By variant: the name of a table, or rules of which the first that fits holds. `text` says what the share is of.
    """

    name: str
    switch: str
    tables: Mapping[str, str]
    rules: Mapping[str, tuple[ShareRule, ...]]
    text: str = ""


def published(known_from: date | None, known_on: date) -> bool:
    """Test whether something was published by the end of a day; None is always known."""
    return known_from is None or known_from <= known_on


def holds(start: datetime | None, end: datetime | None, instant: datetime) -> bool:
    """Test whether an instant is in [start, end); None is open."""
    return (start is None or start <= instant) and (end is None or instant < end)
