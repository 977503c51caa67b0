"""List measures that matched the line but did not apply, with reasons.

A measure is considered if it matches the origin and instant of the line and its product list contains the code or a
sibling of it (a code with the same parent). Measures that charge, exempt or are displaced are layers of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tariffs.engine.law.amendments import Act
from tariffs.engine.law.conditions import Condition, Fact
from tariffs.engine.law.law import IMPORT, Active, InForce, Law
from tariffs.engine.law.matching import Prefixes, Reach
from tariffs.engine.law.measure_state import known
from tariffs.engine.law.model import PROHIBITION, Measure, Row, Scope
from tariffs.engine.law.tested_dates import state_as_tested
from tariffs.engine.rating.fits import dotted, first_fit

NOT_CLAIMED, NOT_LISTED, TAKEN_OUT = "not_claimed", "not_listed", "taken_out"
ENDED, NOT_MODELLED, SWITCHED_OFF = "ended", "not_modelled", "switched_off"
_ENDING = frozenset({"invalidate", "terminate", "expire"})
_PARENT_AT_LEAST, _STEP = 4, 2


@dataclass(frozen=True, slots=True)
class UnappliedMeasure:
    """Measure, or one row of it, that makes no layer on the line.

    Attributes:
        measure: id of the measure.
        authority: node of the authority tree.
        heading: heading under which it would be reported; empty where the row has none.
        outcome: not_claimed (a fact is missing), not_listed (a sibling is), taken_out (a list excludes the code),
            ended (void, terminated or expired), not_modelled, or switched_off.
        rule: the period or act that decides.
        text: one sentence.
        citations: legal sources.
        operands: operands of the sentence, by name.
    """

    measure: str
    authority: str
    heading: str
    outcome: str
    rule: str
    text: str
    citations: tuple[str, ...]
    operands: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WhyNotRequest:
    """Line at its instant: `code` in HTS digits, `facts` as declared, `known_on` the day whose acts count."""

    law: Law
    instant: datetime
    known_on: date
    code: str
    origin: str
    facts: Mapping[str, Fact]

    @property
    def in_force(self) -> InForce:
        """Law in force at the instant of the line."""
        return self.law.in_force(self.instant, self.known_on)

    def reaches(self, scope: Scope) -> bool:
        """Test whether a scope covers the origin and code of the line."""
        return Reach.of(scope, self.in_force).fits(self.code, self.origin)

    def fits_origin(self, scope: Scope) -> bool:
        """Test whether a scope covers the origin of the line."""
        reach = Reach.of(scope, self.in_force)
        return self.origin not in reach.not_origins and all(self.origin in names for names in reach.origins)

    def may_declare(self, conditions: Iterable[Condition]) -> bool:
        """Test whether goods of the origin could meet conditions: a preference needs a program open to the origin."""
        programs = self.law.programs.values()
        closed = {p.claim for p in programs} - {p.claim for p in programs if self.origin in p.members}
        return all(c.negated or c.claim not in closed for c in conditions)


def why_not(line: WhyNotRequest) -> tuple[UnappliedMeasure, ...]:
    """List the measures that matched a line but did not apply, in the order of the law."""
    unapplied: list[UnappliedMeasure] = []
    actives = {active.measure.id: active for active in line.in_force.actives}
    unmodelled = {state.measure.id for state in line.in_force.unmodelled}
    for measure in line.law.measures.values():
        if measure.direction != IMPORT or measure.announced:
            continue
        if measure.id in actives:
            unapplied += _of_active(line, actives[measure.id])
        elif measure.id in unmodelled:
            unapplied += _not_modelled(line, measure)
        else:
            unapplied += _absent(line, measure)
    return tuple(unapplied)


# -- measures in force -----------------------------------------------------------------------------------------


def _of_active(line: WhyNotRequest, active: Active) -> list[UnappliedMeasure]:
    near: list[UnappliedMeasure] = []
    passed: list[tuple[Row, tuple[Condition, ...]]] = []
    fits = absent = False
    for row in active.rows:
        if not line.fits_origin(row.scope):
            continue
        if not line.reaches(row.scope):
            near += _near(line, active, row)
            continue
        missing = tuple(
            c for c in row.conditions if not c.holds(line.facts, undeclared=row.undeclared_applies)
        )
        if not missing:
            fits, absent = not row.absent, row.absent
            break
        if line.may_declare(missing):
            passed.append((row, missing))
    unclaimed = [_not_claimed(line, active, row, missing, charged=fits) for row, missing in passed]
    ended = [] if fits or (passed and not absent) else [*_absent(line, active.measure)]
    return _distinct([*near, *unclaimed, *ended])


def _distinct(unapplied: Iterable[UnappliedMeasure]) -> list[UnappliedMeasure]:
    return list({(one.heading, one.text): one for one in unapplied}.values())


def _not_claimed(
    line: WhyNotRequest, active: Active, row: Row, missing: tuple[Condition, ...], *, charged: bool
) -> UnappliedMeasure:
    facts = " and ".join(_missing_words(condition, line.facts) for condition in missing)
    terms = " and ".join(condition.words for condition in row.conditions)
    if row.kind == "ordinary":
        verdict = f"The {row.column} column does not apply"
    elif row.exempt:
        verdict = f"Not exempt under {row.heading or row.acts[0]}"
    elif row.kind == PROHIBITION:
        verdict = f"Not prohibited by {row.acts[0]}"
    elif charged:
        verdict = f"The terms of {row.heading or row.acts[0]} for {terms} do not apply"
    else:
        verdict = f"Not charged under {row.heading or row.acts[0]}"
    operands = {"if": terms, **_values(missing, line.facts)}
    rule, cites = ", ".join(row.acts), active.citations(row)
    return UnappliedMeasure(
        active.measure.id,
        active.measure.authority,
        row.heading,
        NOT_CLAIMED,
        rule,
        f"{verdict}: {facts}.",
        cites,
        operands,
    )


def _missing_words(condition: Condition, facts: Mapping[str, Fact]) -> str:
    fact = facts.get(condition.claim)
    if fact is None:
        return f"{condition.claim} is not declared"
    if not condition.op:
        return f"{condition.claim} is {'claimed' if condition.negated else _plain(fact)}"
    link = "which is" if condition.negated else "not"
    return f"{condition.claim} is {_plain(fact)}, {link} {condition.op} {condition.value}"


def _values(conditions: Iterable[Condition], facts: Mapping[str, Fact]) -> dict[str, str]:
    return {c.claim: _plain(facts[c.claim]) for c in conditions if facts.get(c.claim) is not None}


def _plain(fact: Fact) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return f"{fact.normalize():f}" if isinstance(fact, Decimal) else str(fact)


def _near(line: WhyNotRequest, active: Active, row: Row) -> Iterator[UnappliedMeasure]:
    """Report a row whose list excludes the code, or contains a sibling of the code but not the code."""
    if row.absent:
        return
    in_force, name = line.in_force, dotted(line.code)
    misses = [names for names in row.scope.products if line.code not in _prefixes(names, in_force)]
    if not misses:
        lists = _holding(row.scope.not_products, line.code, in_force)
        verb = "exclude" if len(lists) > 1 else "excludes"
        text = f"{', '.join(lists)} {verb} {name} from {row.heading or active.measure.id}."
        outcome, operands = TAKEN_OUT, {"lists": ", ".join(lists), "code": name}
    else:
        siblings = [_siblings(names, line.code, in_force) for names in misses]
        if not all(siblings):
            return
        lists = sorted(
            name for names in misses for name in names if _siblings(frozenset({name}), line.code, in_force)
        )
        near = ", ".join(dotted(code) for code in siblings[0][:3])
        verb = "contain" if len(lists) > 1 else "contains"
        reached = row.heading or active.measure.id
        text = f"{', '.join(lists)} {verb} {near} but not {name}, so {reached} does not apply."
        outcome, operands = NOT_LISTED, {"lists": ", ".join(lists), "siblings": near, "code": name}
    yield UnappliedMeasure(
        active.measure.id,
        active.measure.authority,
        row.heading,
        outcome,
        ", ".join(row.acts),
        text,
        active.citations(row),
        operands,
    )


def _prefixes(names: frozenset[str], in_force: InForce) -> Prefixes:
    key = ("why_not", names)
    if key not in in_force.cache:
        in_force.cache[key] = Prefixes.of(in_force.codes(names))
    prefixes: Prefixes = in_force.cache[key]
    return prefixes


def _holding(names: Iterable[str], code: str, in_force: InForce) -> list[str]:
    return sorted(name for name in names if code in _prefixes(frozenset({name}), in_force))


def _siblings(names: frozenset[str], code: str, in_force: InForce) -> list[str]:
    """Listed codes with the same parent as the code of the line at their length."""
    key = ("families", names)
    if key not in in_force.cache:
        by_parent: dict[str, list[str]] = {}
        for listed in sorted(_prefixes(names, in_force).codes):
            by_parent.setdefault(listed[:-_STEP], []).append(listed)
        in_force.cache[key] = by_parent
    families: Mapping[str, list[str]] = in_force.cache[key]
    parents = (code[:length] for length in range(len(code) - _STEP, _PARENT_AT_LEAST - 1, -_STEP))
    return [sibling for parent in parents for sibling in families.get(parent, ())]


# -- measures not in force -------------------------------------------------------------------------------------


def _absent(line: WhyNotRequest, measure: Measure) -> Iterator[UnappliedMeasure]:
    """Report a measure that would apply to the line if it had not ended, or under another value of a switch."""
    law = line.law
    acts = [a for a in known(law.acts[measure.id], line.known_on) if law.switched(a.change.switch)]
    ending = [a for a in acts if a.change.op in _ENDING and a.start and a.start <= line.instant]
    ending = [a for a in ending if line.reaches(a.scope)]
    if ending and law.switched(measure.switch):
        row = _row_without(line, measure, [a for a in acts if a not in ending])
        if row is not None:
            yield _ended(line, measure, row, ending[-1])
    elif not law.switched(measure.switch):
        row = _row_without(line, measure, acts)
        if row is not None:
            yield _switched_off(law, measure, row)


def _row_without(line: WhyNotRequest, measure: Measure, acts: list[Act]) -> Row | None:
    """Row that would charge the line if these were the only acts."""
    law = line.law
    periods = [p for p in measure.periods if p.known_from <= line.known_on and law.switched(p.switch)]
    state = state_as_tested(measure, acts, periods, line.instant, law.zones[measure.direction])
    row = first_fit((row for row in (state.rows if state else ()) if line.reaches(row.scope)), line.facts)
    return row if row is not None and row.charging and not row.exempt else None


def _ended(line: WhyNotRequest, measure: Measure, row: Row, act: Act) -> UnappliedMeasure:
    change = act.change
    by = change.selector.authority or measure.id
    day = change.start[:10]
    if change.op == "invalidate":
        stop = f", not collected from {change.collection_stop[:10]}" if change.collection_stop else ""
        text = f"Not charged: {by} was invalidated on {day}{stop}."
    else:
        text = f"Not charged: {measure.id} was {'terminated' if change.op == 'terminate' else 'expired'} on {day}."
    operands = {"act": act.name, "by": by, "from": day}
    cites = tuple(dict.fromkeys((*change.cite, *measure.cite)))
    return UnappliedMeasure(
        measure.id, measure.authority, row.heading, ENDED, act.name, text, cites, operands
    )


def _switched_off(law: Law, measure: Measure, row: Row) -> UnappliedMeasure:
    wanted = ", ".join(f"{name}={value}" for name, value in sorted(measure.switch.items()))
    settings = ", ".join(f"{name}={law.setting(name)}" for name in sorted(measure.switch))
    text = f"Not charged: the measure applies only with {wanted}; this answer uses {settings}."
    return UnappliedMeasure(
        measure.id,
        measure.authority,
        row.heading,
        SWITCHED_OFF,
        wanted,
        text,
        measure.cite,
        {"switch": wanted, "set": settings},
    )


def _not_modelled(line: WhyNotRequest, measure: Measure) -> Iterator[UnappliedMeasure]:
    if not measure.touches.is_any and line.reaches(measure.touches):
        text = f"{measure.title} may apply to this line; it is not modelled yet and charges nothing."
        yield UnappliedMeasure(
            measure.id,
            measure.authority,
            "",
            NOT_MODELLED,
            measure.id,
            text,
            measure.cite,
            {"code": dotted(line.code)},
        )
