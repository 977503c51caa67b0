"""The law: an immutable set of measures, acts, stacking rules, lists, claims and switches, and its state at an instant.

`Law.in_force(instant, known_on)` is the only way from law to duty: it resolves dates, switches and publication days,
so that all later code works on plain rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import InputError, LawError, ScenarioError, TariffsError
from tariffs.engine.law.amendments import UNSELECTIVE, Act, Change
from tariffs.engine.law.assumptions import NONE, Assumptions
from tariffs.engine.law.bound_measures import Binder, BoundMeasures, MeasureIndex, check_suspension, unmatched
from tariffs.engine.law.commitments import QuantityRule
from tariffs.engine.law.fee_tables import Fees, PortFeeTable, SourcedVoyage
from tariffs.engine.law.fixed_parts import FixedParts
from tariffs.engine.law.known_names import Names, refuse
from tariffs.engine.law.law_at import Active, ActiveRule, InForce
from tariffs.engine.law.law_edits import Constraint, SetClaim, constraint, rules_after, set_claim
from tariffs.engine.law.line_notes import LineNote, RefusedOrigin
from tariffs.engine.law.markets import SHARED_DIGITS, Market
from tariffs.engine.law.measure_history import Choices, utc_sorted
from tariffs.engine.law.measure_state import MeasureState
from tariffs.engine.law.model import (
    CONFIDENCE,
    CONTROL,
    EXPORT,
    IMPORT,
    Claim,
    Measure,
    Membership,
    Program,
    Reference,
    Rule,
    Switch,
)
from tariffs.engine.law.product_lists import ProductList
from tariffs.engine.law.raw_fields import Context, in_scenario
from tariffs.engine.law.read import read_measure
from tariffs.engine.law.refund_terms import RefundTerms
from tariffs.engine.law.rule_book import RuleBook
from tariffs.engine.law.suspensions import ends_of
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.country_names import origins_named

REVIVE = "revive_displaced"
CLAIM_COST = "usmca_claim_cost"
"""Switch of the cost of complying with the rules of a preference, where claims respond."""


# Two years of law make about a hundred segments.
SEGMENTS_KEPT = 512
# Values worked out from a law, and the fields they are worked out from among those that a scenario changes.
_WORKED_OUT_FROM: Mapping[str, frozenset[str]] = {
    "fixed": frozenset(),
    "bound": frozenset({"measures", "changes"}),
    "names": frozenset({"measures"}),
    "acts": frozenset({"measures", "changes"}),
    "choices": frozenset({"settings", "min_conf"}),
    "boundaries": frozenset({"measures", "changes", "rules", "set_claims", "constraints"}),
    "publication_days": frozenset({"measures", "changes", "rules"}),
    "rule_book": frozenset({"measures", "rules"}),
}
Moment = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Law:
    """See the module. Build one with `load_law()`; scenarios make others with `with_changes`."""

    version: str
    as_of: date
    read_to: date
    coverage: tuple[datetime, datetime]
    zones: Mapping[str, ZoneInfo]
    measures: Mapping[str, Measure]
    changes: tuple[Change, ...]
    rules: tuple[Rule, ...]
    claims: Mapping[str, Claim]
    caps: Mapping[str, Any]
    switches: Mapping[str, Switch]
    groups: Mapping[str, tuple[Membership, ...]]
    programs: Mapping[str, Program]
    lists: Mapping[str, ProductList]
    row_sets: Mapping[str, Any]
    fees: Fees
    references: Mapping[str, Reference]
    retired: Mapping[str, str]
    digest: str
    origins: frozenset[str] = field(default_factory=origin_codes)
    retired_switches: Mapping[str, str] = field(default_factory=dict)
    retired_lists: Mapping[str, str] = field(default_factory=dict)
    retired_codes: frozenset[str] = frozenset()
    authorities: Mapping[str, Any] = field(default_factory=dict)
    refunds: RefundTerms = field(default_factory=RefundTerms)
    markets: Mapping[str, Market] = field(default_factory=dict)
    destination: str = EXPORT
    home: str = ""
    port_fees: Mapping[str, PortFeeTable] = field(default_factory=dict)
    port_calls: tuple[SourcedVoyage, ...] = ()
    limits: tuple[QuantityRule, ...] = ()
    line_notes: tuple[LineNote, ...] = ()
    refused_origins: Mapping[str, RefusedOrigin] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    set_claims: tuple[SetClaim, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    assumptions: Assumptions = NONE
    min_conf: str = CONFIDENCE[-1]

    # -- making another law ------------------------------------------------------------------------------------

    def with_changes(self, changes: Sequence[Change]) -> Law:
        """Apply the changes of a scenario, in order.

        Raises:
            ScenarioError: NOTHING_MATCHED, MEASURE_RETIRED, SUSPENSION_NOT_FOUND, CHANGE_DATES_REVERSED,
                SWITCH_RETIRED, SWITCH_UNKNOWN or SCENARIO_SYNTAX, with the path of the change.
        """
        law = self
        for change in changes:
            if change.op == "set_switch":
                law = law.with_switches({change.name: change.value}, path=change.path)
            elif change.op in UNSELECTIVE:
                law = law._edited(change)
            else:
                law._check_reach(change)
                law = law._bound_to(law.bound.with_change(change))
            if change.op in {"add", "replace"}:
                law = law._bound_to(law.bound.with_measures((law._added(change),)))
        return law

    def _derived(self, **edits: Any) -> Law:
        """Make the law with other values of some fields, which shares with this one what the edits leave as it is.

        `edits` may name measures and changes together, rules, set_claims, constraints, settings, assumptions and
        min_conf.
        """
        law = replace(self, **edits)
        shared = self.__dict__ | {"fixed": self.fixed, "bound": self.bound}
        for name, edited in _WORKED_OUT_FROM.items():
            if name in shared and edited.isdisjoint(edits):
                law.__dict__[name] = shared[name]
        return law

    def _bound_to(self, bound: BoundMeasures) -> Law:
        added = {} if bound.index is self.bound.index else {"measures": bound.index.measures}
        law = self._derived(changes=bound.changes, **added)
        law.__dict__["bound"] = bound
        return law

    def _edited(self, change: Change) -> Law:
        """Apply a change of a stacking rule, a claim or a quantity."""
        context = self.context(IMPORT)
        if change.op == "set_stacking":
            return self._derived(rules=rules_after(self.rules, change, context))
        if change.op == "set_claim":
            return self._derived(set_claims=(*self.set_claims, set_claim(change, context)))
        if change.op == "shock_quantity":
            return self._derived(constraints=(*self.constraints, constraint(change, context)))
        return self

    def with_assumptions(self, assumptions: Assumptions) -> Law:
        """Make assumptions, which replace those on the same measure."""
        return self._derived(assumptions=self.assumptions.under(assumptions)) if assumptions else self

    def with_switches(self, settings: Mapping[str, str], *, path: str = "") -> Law:
        """Set switches.

        Raises:
            ScenarioError: SWITCH_RETIRED, or SWITCH_UNKNOWN if there is no such switch or value.
        """
        for name, value in settings.items():
            refuse(self.vocabulary.unknown_switch(name, value, path))
        # Without settings the law itself is returned, with all that it has cached.
        return self._derived(settings={**self.settings, **settings}) if settings else self

    def with_min_conf(self, conf: str) -> Law:
        """Keep only periods, acts and rules whose confidence is `conf` or better."""
        if conf not in CONFIDENCE:
            message = f"{conf!r} is not a confidence."
            raise LawError("REQUEST_INVALID", message, field="min_confidence", fix="Use A, B, C or U.")
        return self._derived(min_conf=conf)

    def _added(self, change: Change) -> Measure:
        raw = {**change.measure}
        given = {"from": change.start} if change.op == "replace" else {}
        given |= {"known_from": change.known_from.isoformat()} if change.known_from else {}
        if isinstance(raw.get("periods"), list):
            raw["periods"] = [{**given, **p} if isinstance(p, Mapping) else p for p in raw["periods"]]
        path = f"{change.path}.measure"
        if "events" in raw:
            raise ScenarioError(
                "SCENARIO_UNKNOWN_KEY",
                "A measure in a scenario has no key 'events'.",
                path=f"{path}.events",
                fix="Write what happens to it as changes after this one.",
            )
        try:
            context = self.context(self.fixed.market_named(raw, path))
            added = read_measure(raw, replace(context, as_of=None), path)
        except TariffsError as error:
            raise in_scenario(error, path) from None
        if added.id in self.measures:
            raise ScenarioError(
                "SCENARIO_SYNTAX",
                f"The law already has a measure {added.id!r}.",
                path=f"{path}.id",
                fix="Choose another id.",
            )
        return added

    @cached_property
    def fixed(self) -> FixedParts:
        """Parts that no scenario changes."""
        return FixedParts(**{part.name: getattr(self, part.name) for part in fields(FixedParts)})

    def context(self, market: str) -> Context:
        """Reading context of measures of a market."""
        return self.fixed.context(market)

    @property
    def vocabulary(self) -> Names:
        """Countries, groups, lists and switches that measures and scenarios may name."""
        return self.fixed.vocabulary

    # -- acts --------------------------------------------------------------------------------------------------

    @cached_property
    def bound(self) -> BoundMeasures:
        """The measures with the acts on them."""
        binder = Binder(self.fixed.context, self.groups)
        bound = BoundMeasures(MeasureIndex.of(()), {}, binder).with_measures(self.measures.values())
        for change in self.changes:
            bound = bound.with_change(change)
        return bound

    def select_measures(self, change: Change) -> list[tuple[Measure, str]]:
        """Select the measures a change reaches, each with the period label it is limited to (or an empty text)."""
        return self.bound.index.select(change)

    def _check_reach(self, change: Change) -> None:
        reached = self.select_measures(change)
        if not reached:
            raise unmatched(change, self.names, self.retired)
        if change.op in {"extend", "snap_back"}:
            ends: list[datetime | None] = []
            for measure, label in reached:
                act = self.bound.binder.bind(change, measure, label, 0, "")
                ends += ends_of(measure, self.acts[measure.id], act)
            check_suspension(change, ends, self.context(reached[0][0].market))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name a selector may use: measure ids, period labels, authority nodes."""
        return frozenset(self.bound.index.labels) | self.bound.index.nodes.keys()

    @cached_property
    def acts(self) -> Mapping[str, tuple[Act, ...]]:
        """Acts by measure id, law before scenario, in order."""
        return {name: history.acts for name, history in self.bound.histories.items()}

    # -- what is in force --------------------------------------------------------------------------------------

    def market_of(self, direction: str, to: str = "") -> str:
        """Market of goods: imports, or the destination `to` of exports (empty is the first that the law names).

        Raises:
            InputError: REQUEST_INVALID for a destination without a market in the law.
        """
        if direction == IMPORT and not to:
            return IMPORT
        market = next(iter(origins_named(to)), to.strip().upper()) or self.destination
        if direction == IMPORT or market not in self.zones:
            known = ", ".join(self.markets)
            raise InputError(
                "REQUEST_INVALID",
                f"The law data has no market {to!r} of {direction}s.",
                field="to",
                fix=f"With direction export, use one of: {known}; for imports omit it.",
            )
        return market

    def destination_of(self, market: str) -> Market:
        """Market of a destination; without rates where the law has only its clock."""
        return self.markets.get(market) or Market(
            market, self.zones[market], SHARED_DIGITS, with_freight=True
        )

    def covered(self, market: str) -> tuple[datetime, datetime]:
        """Days that the law covers, from the first to the end of the last, on the clock of a market."""
        return self.fixed.covered[market]

    @cached_property
    def choices(self) -> Choices:
        """Switches as set, and the least confidence that counts."""
        return Choices(self.switches, self.settings, self.min_conf)

    def setting(self, name: str) -> str:
        """Value of a switch: as set, else its default."""
        return self.choices.setting(name)

    def switched(self, wanted: Mapping[str, str]) -> bool:
        """Test whether all switches have the wanted values."""
        return self.choices.switched(wanted)

    def sure(self, conf: str) -> bool:
        """Test whether a confidence is good enough for this law."""
        return self.choices.sure(conf)

    def in_force(self, instant: datetime, known_on: date | None = None, market: str = IMPORT) -> InForce:
        """Rows and rules in force at `instant` (aware) by the acts published until `known_on` (default as-of day)."""
        key = (*self.moment(instant, known_on), market)
        known = known_on or self.as_of
        return self._cache.get(key, lambda: self._compute(instant.astimezone(UTC), known, market))

    def cached_in_force(
        self, instant: datetime, known_on: date | None = None, market: str = IMPORT
    ) -> InForce | None:
        """Rows and rules of `in_force` if they are cached."""
        return self._cache.find((*self.moment(instant, known_on), market))

    def moment(self, instant: datetime, known_on: date | None = None) -> Moment:
        """Numbers of the segments of time and publication days in which the law does not change."""
        return (
            bisect_right(self.boundaries, instant.astimezone(UTC)),
            bisect_right(self.publication_days, known_on or self.as_of),
        )

    def _compute(self, instant: datetime, known_on: date, market: str) -> InForce:
        actives: list[Active] = []
        unmodelled: list[MeasureState] = []
        for history in self.bound.histories.values():
            if history.measure.market == market:
                settled = history.settled(instant, known_on, self.choices)
                if settled.active is not None:
                    actives.append(settled.active)
                elif settled.state is not None and not history.measure.modelled:
                    unmodelled.append(settled.state)
        rules = self.rule_book.in_force(instant, known_on, self.choices)
        names = self.fixed.names_on(instant, known_on)
        return InForce(tuple(actives), rules, tuple(unmodelled), names.groups, names.lists, self._revives())

    def _revives(self) -> bool:
        """Test the switch of displaced measures; the law does not settle whether they revive."""
        return REVIVE in self.switches and self.setting(REVIVE) == "on"

    def state_of(self, measure: Measure, instant: datetime, known_on: date) -> MeasureState | None:
        """State of a measure at an instant, whether modelled or not; None if it applies to no one."""
        history = self.bound.histories[measure.id]
        return history.settled(instant.astimezone(UTC), known_on, self.choices).state

    @cached_property
    def rule_book(self) -> RuleBook:
        """The rules of all time, their selectors resolved."""
        places = self.bound.index.places_of
        return RuleBook(
            tuple(
                ActiveRule(
                    rule, places(rule.when), places(rule.on), tuple(places((m,)) for m in rule.members)
                )
                for rule in self.rules
            )
        )

    @cached_property
    def cache(self) -> dict[str, Any]:
        """Values that others keep with the law; a derived law has its own."""
        return {}

    @cached_property
    def _cache(self) -> BoundedCache[tuple[int, int, str], InForce]:
        return BoundedCache(SEGMENTS_KEPT)

    @cached_property
    def boundaries(self) -> Sequence[datetime]:
        """Every instant at which something in the law may change, sorted (UTC)."""
        moments = set(self.fixed.moments).union(*(h.moments for h in self.bound.histories.values()))
        moments.update(self.rule_book.moments)
        for edits in (self.set_claims, self.constraints):
            moments.update(utc_sorted(moment for edit in edits for moment in (edit.start, edit.end)))
        return sorted(moments)

    @cached_property
    def publication_days(self) -> Sequence[date]:
        """Every day on which acts were published, sorted."""
        days = {*self.rule_book.publication_days, *self.fixed.publication_days}
        return sorted(days.union(*(h.publication_days for h in self.bound.histories.values())))


__all__ = ["CONTROL", "EXPORT", "IMPORT", "REVIVE", "Active", "ActiveRule", "InForce", "Law", "Moment"]
