"""The law: an immutable set of measures, acts, stacking rules, lists, claims and switches, and its state at an instant.

`Law.in_force(instant, known_on)` is the only way from law to duty: it resolves dates, switches and publication days,
so that all later code works on plain rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import LawError, ScenarioError, TariffsError
from tariffs.engine.law.amendments import LAW, UNSELECTIVE, Act, Change, name_among
from tariffs.engine.law.assumptions import NONE, Assumptions
from tariffs.engine.law.commitments import QuantityRule, commitment_moments
from tariffs.engine.law.fee_tables import CountryRates, Fees, PortFeeTable, RefundTerms, SourcedVoyage
from tariffs.engine.law.known_names import Names
from tariffs.engine.law.law_at import Active, ActiveRule, InForce
from tariffs.engine.law.law_edits import Constraint, SetClaim, constraint, rules_after, set_claim
from tariffs.engine.law.measure_state import MeasureState, known, moments_of, rule_on
from tariffs.engine.law.model import (
    CONFIDENCE,
    Claim,
    Measure,
    Membership,
    ProductList,
    Program,
    Reference,
    Rule,
    Scope,
    Switch,
    holds,
)
from tariffs.engine.law.raw_fields import Context, in_scenario
from tariffs.engine.law.read import read_measure, read_metals, read_weights
from tariffs.engine.law.selection import check_suspension, select_measures, unmatched
from tariffs.engine.law.suspensions import ends_of
from tariffs.engine.law.tested_dates import state_as_tested
from tariffs.engine.schedule.countries import origin_codes

IMPORT, EXPORT, CONTROL = "import", "export", "control"
REVIVE = "revive_displaced"


# Two years of law make about a hundred segments.
SEGMENTS_KEPT = 512
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
    authorities: Mapping[str, Any] = field(default_factory=dict)
    refunds: RefundTerms = field(default_factory=RefundTerms)
    exports: CountryRates = field(default_factory=CountryRates)
    port_fees: Mapping[str, PortFeeTable] = field(default_factory=dict)
    port_calls: tuple[SourcedVoyage, ...] = ()
    limits: tuple[QuantityRule, ...] = ()
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
                law = replace(law, changes=(*law.changes, change))
            if change.op in {"add", "replace"}:
                law = replace(law, measures={**law.measures, **law._added(change)})
        return law

    def _edited(self, change: Change) -> Law:
        """Apply a change of a stacking rule, a claim or a quantity."""
        context = self.context(IMPORT)
        if change.op == "set_stacking":
            return replace(self, rules=rules_after(self.rules, change, context))
        if change.op == "set_claim":
            return replace(self, set_claims=(*self.set_claims, set_claim(change, context)))
        if change.op == "shock_quantity":
            return replace(self, constraints=(*self.constraints, constraint(change, context)))
        return self

    def with_switches(self, settings: Mapping[str, str], *, path: str = "") -> Law:
        """Set switches.

        Raises:
            ScenarioError: SWITCH_RETIRED, or SWITCH_UNKNOWN if there is no such switch or value.
        """
        for name, value in settings.items():
            self.vocabulary.check_switch(name, value, path)
        # Without settings the law itself is returned, with all that it has cached.
        return replace(self, settings={**self.settings, **settings}) if settings else self

    def with_min_conf(self, conf: str) -> Law:
        """Keep only periods, acts and rules whose confidence is `conf` or better."""
        if conf not in CONFIDENCE:
            raise LawError(
                "REQUEST_INVALID", f"{conf!r} is not a confidence.", field="min_conf", fix="Use A, B, C or U."
            )
        return replace(self, min_conf=conf)

    def _added(self, change: Change) -> dict[str, Measure]:
        raw = {**change.measure}
        if change.op == "replace" and isinstance(raw.get("periods"), list):
            raw["periods"] = [
                {"from": change.start, **p} if isinstance(p, Mapping) else p for p in raw["periods"]
            ]
        path = f"{change.path}.measure"
        if "events" in raw:
            raise ScenarioError(
                "SCENARIO_UNKNOWN_KEY",
                "A measure in a scenario has no key 'events'.",
                path=f"{path}.events",
                fix="Write what happens to it as changes after this one.",
            )
        try:
            added = read_measure(raw, self.context(str(raw.get("direction", IMPORT))), path)
        except TariffsError as error:
            raise in_scenario(error, path) from None
        if added.id in self.measures:
            raise ScenarioError(
                "SCENARIO_SYNTAX",
                f"The law already has a measure {added.id!r}.",
                path=f"{path}.id",
                fix="Choose another id.",
            )
        return {added.id: added}

    def context(self, direction: str) -> Context:
        """Reading context of measures of a direction."""
        zone = self.zones.get(direction, self.zones[IMPORT])
        types = {claim.id: claim.type for claim in self.claims.values()}
        return Context(types, zone, self.as_of, self.row_sets, self.vocabulary)

    @cached_property
    def vocabulary(self) -> Names:
        """Countries, groups, lists and switches that measures and scenarios may name."""
        switches = {switch.id: switch.values for switch in self.switches.values()}
        origins = self.origins | self.groups.keys()
        return Names(origins, frozenset(self.lists), switches, self.retired_switches)

    @cached_property
    def listed_codes(self) -> list[str]:
        """Every code of a product list, sorted."""
        return sorted({entry.code for product_list in self.lists.values() for entry in product_list.entries})

    # -- acts --------------------------------------------------------------------------------------------------

    def select_measures(self, change: Change) -> list[tuple[Measure, str]]:
        """Select the measures a change reaches, each with the period label it is limited to (or an empty text)."""
        selected = select_measures(self.measures, change.selector)
        return [item for item in selected if item[0].id != change.measure.get("id")]

    def _check_reach(self, change: Change) -> None:
        reached = self.select_measures(change)
        if not reached:
            raise unmatched(change, self.names, self.retired)
        if change.op in {"extend", "snap_back"}:
            bound = [(measure, self._bind(change, measure, label, 0, "")) for measure, label in reached]
            ends = [end for measure, act in bound for end in ends_of(measure, self.acts[measure.id], act)]
            check_suspension(change, ends, self.context(reached[0][0].direction))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name a selector may use: measure ids, period labels, authority nodes."""
        names: set[str] = set()
        for measure in self.measures.values():
            names.update({measure.id, *measure.labels, *measure.parents})
        return frozenset(names)

    @cached_property
    def acts(self) -> Mapping[str, tuple[Act, ...]]:
        """Acts by measure id, law before scenario, in order."""
        bound: dict[str, list[Act]] = {measure: [] for measure in self.measures}
        for order, change in enumerate(self.changes):
            for measure, label in self.select_measures(change):
                acts = bound[measure.id]
                acts.append(self._bind(change, measure, label, order, name_among(acts, change, order)))
        return {name: tuple(acts) for name, acts in bound.items()}

    def _bind(self, change: Change, measure: Measure, label: str, order: int, name: str) -> Act:
        context = self.context(measure.direction)

        def at(text: str) -> datetime | None:
            return context.instant(text) if text else None

        start = at(change.start)
        published = change.known_from
        if published is None and change.source == LAW:
            published = context.known_from({}, start or at(change.until), change.path)
        return Act(
            change=change,
            scope=change.selector.scope,
            label=label,
            start=start,
            until=at(change.until),
            to=at(change.to),
            collection_stop=at(change.collection_stop),
            known_from=published,
            order=order,
            name=name,
            conditions=context.conditions(list(change.conditions), change.path),
            base=read_weights(change.base, f"{change.path}.base") if change.base else (),
            metals=read_metals(change.base),
            origins=self._origins(change.selector.scope),
        )

    def _origins(self, scope: Scope) -> frozenset[str] | None:
        """Spell out the origins that a scope reaches at any time; None is any."""
        spelled = [frozenset[str]().union(*(self._ever(name) for name in names)) for names in scope.origins]
        return frozenset[str].intersection(*spelled) if spelled else None

    def _ever(self, name: str) -> frozenset[str]:
        dated = self.groups.get(name)
        return frozenset({name}) if dated is None else frozenset[str]().union(*(m.members for m in dated))

    # -- what is in force --------------------------------------------------------------------------------------

    def covered(self, direction: str) -> tuple[datetime, datetime]:
        """Days that the law covers, from the first to the end of the last, on the clock of a direction."""
        return self._covered[direction]

    @cached_property
    def _covered(self) -> Mapping[str, tuple[datetime, datetime]]:
        start, end = (moment.astimezone(self.zones[IMPORT]) for moment in self.coverage)
        return {
            direction: (start.replace(tzinfo=zone), end.replace(tzinfo=zone))
            for direction, zone in self.zones.items()
        }

    def setting(self, name: str) -> str:
        """Value of a switch: as set, else its default."""
        return self.settings.get(name, self.switches[name].default)

    def switched(self, wanted: Mapping[str, str]) -> bool:
        """Test whether all switches have the wanted values."""
        return all(self.setting(name) == value for name, value in wanted.items())

    def sure(self, conf: str) -> bool:
        """Test whether a confidence is good enough for this law."""
        return not conf or CONFIDENCE.index(conf) <= CONFIDENCE.index(self.min_conf)

    def in_force(self, instant: datetime, known_on: date | None = None, direction: str = IMPORT) -> InForce:
        """Rows and rules in force at `instant` (aware) by the acts published until `known_on` (default as-of day)."""
        key = (*self.moment(instant, known_on), direction)
        known = known_on or self.as_of
        return self._cache.get(key, lambda: self._compute(instant.astimezone(UTC), known, direction))

    def moment(self, instant: datetime, known_on: date | None = None) -> Moment:
        """Numbers of the segments of time and publication days in which the law does not change."""
        return (
            bisect_right(self.boundaries, instant),
            bisect_right(self.publication_days, known_on or self.as_of),
        )

    def _compute(self, instant: datetime, known_on: date, direction: str) -> InForce:
        actives: list[Active] = []
        unmodelled: list[MeasureState] = []
        for index, measure in enumerate(self.measures.values()):
            state = self.state_of(measure, instant, known_on) if measure.direction == direction else None
            if state is None:
                continue
            if not measure.modelled:
                unmodelled.append(state)
            elif state.rows:
                actives.append(Active(index, measure, state.rows, self._cites(state), state.period.id))
        dated = (rule_on(rule, instant) for rule in self.rules if self._rule_holds(rule, instant, known_on))
        rules = tuple(self._active_rule(rule) for rule in dated if rule is not None)
        groups = {
            name: frozenset[str]().union(*(m.members for m in dated if holds(m.start, m.end, instant)))
            for name, dated in self.groups.items()
        }
        lists = {name: product_list.on(instant) for name, product_list in self.lists.items()}
        return InForce(tuple(actives), rules, tuple(unmodelled), groups, lists, self._revives())

    def _revives(self) -> bool:
        """Test the switch of displaced measures; the law does not settle whether they revive."""
        return REVIVE in self.switches and self.setting(REVIVE) == "on"

    def state_of(self, measure: Measure, instant: datetime, known_on: date) -> MeasureState | None:
        """State of a measure at an instant, whether modelled or not; None if it applies to no one."""
        if not (self.switched(measure.switch) and self.sure(measure.conf)):
            return None
        acts = [
            a for a in known(self.acts[measure.id], known_on) if self._counts(a.change.switch, a.change.conf)
        ]
        periods = [p for p in measure.periods if p.known_from <= known_on and self._counts(p.switch, p.conf)]
        return state_as_tested(measure, acts, periods, instant, self.zones[measure.direction])

    def _cites(self, state: MeasureState) -> dict[str, tuple[str, ...]]:
        acts = {act.name: act.change.cite for act in self.acts[state.measure.id]}
        return {state.period.id: state.period.cite, **acts}

    def _counts(self, switch: Mapping[str, str], conf: str) -> bool:
        return self.switched(switch) and self.sure(conf)

    def _rule_holds(self, rule: Rule, instant: datetime, known_on: date) -> bool:
        published = rule.known_from is None or rule.known_from <= known_on
        return published and holds(rule.start, rule.end, instant) and self._counts(rule.switch, rule.conf)

    def _active_rule(self, rule: Rule) -> ActiveRule:
        return ActiveRule(
            rule,
            self._indices(rule.when),
            self._indices(rule.on),
            tuple(self._indices((m,)) for m in rule.members),
        )

    def _indices(self, names: Iterable[str]) -> frozenset[int]:
        wanted = frozenset(names)
        return frozenset(
            index
            for index, measure in enumerate(self.measures.values())
            if measure.id in wanted or not wanted.isdisjoint(measure.parents)
        )

    @cached_property
    def _cache(self) -> BoundedCache[tuple[int, int, str], InForce]:
        return BoundedCache(SEGMENTS_KEPT)

    @cached_property
    def boundaries(self) -> list[datetime]:
        """Every instant at which something in the law may change, sorted (UTC)."""
        moments: set[datetime | None] = set(self.coverage)
        for measure in self.measures.values():
            moments |= moments_of(measure, self.acts[measure.id])
        for edits in (self.rules, self.set_claims, self.constraints):
            moments |= {moment for edit in edits for moment in (edit.start, edit.end)}
        for dated in self.groups.values():
            for item in dated:
                moments |= {item.start, item.end}
        for product_list in self.lists.values():
            moments |= set(product_list.boundaries)
        moments |= set(commitment_moments(self.limits))
        return sorted(moment for moment in moments if moment is not None)

    @cached_property
    def publication_days(self) -> list[date]:
        """Every day on which acts were published, sorted."""
        days = {p.known_from for m in self.measures.values() for p in m.periods}
        days |= {a.known_from for acts in self.acts.values() for a in acts if a.known_from}
        days |= {r.known_from for r in self.rules if r.known_from}
        return sorted(days)


__all__ = ["CONTROL", "EXPORT", "IMPORT", "REVIVE", "Active", "ActiveRule", "InForce", "Law", "Moment"]
