"""Segment of a law: what all lines share while no act changes it, compiled once and cached with the law in force."""

from __future__ import annotations

import weakref
from datetime import date, datetime
from functools import reduce
from itertools import chain, count
from operator import or_

from tariffs.engine.law.conditions import MODE
from tariffs.engine.law.law import IMPORT, Active, Law
from tariffs.engine.law.line_notes import LineNote
from tariffs.engine.law.matching import Candidates
from tariffs.engine.law.model import Row, Scope, nodes_above
from tariffs.engine.law.notes import Note
from tariffs.engine.law.switch_sensitivity import switch_effects
from tariffs.engine.line_duty.scope_index import ScopeIndex

_CACHED = "segment"
_NUMBERS = count()


class LawSegment:
    """Law in force with an index of the scopes that decide what a line owes.

    Attributes:
        number: unique, for the keys of caches, which must not keep a law alive.
        has_profiles: True once profiles of classes are cached under the number.
        instant, known_on: an instant and a day of knowledge in the segment.
        in_force: the law in force.
        index: the scopes, with a bit each.
        row_bits: the scopes of rows in force.
        reads_mode: True if a row or rule in force has a condition on the mode of transport.
        program_claims: the claims of reduced ordinary rates, such as those of the special programs.
        rule_texts: texts of the stacking rules, by id.
        places: places of measures on CBP Form 7501 (entry summary), which have no effect on any amount.
        rule_headings: headings under which stacking rules in force report the layers they displace, by id.
    """

    def __init__(self, law: Law, instant: datetime, known_on: date, market: str) -> None:
        self.number, self.has_profiles = next(_NUMBERS), False
        # The law holds its segments: without a cycle it is freed with its last user.
        self._law, self.instant, self.known_on = weakref.ref(law), instant, known_on
        self.in_force = law.in_force(instant, known_on, market)
        unmodelled = [state.measure for state in self.in_force.unmodelled if not state.measure.touches.is_any]
        scopes = [row.scope for active in self.in_force.actives for row in active.rows]
        scopes += [scope for claim in law.claims.values() for scope in claim.asks]
        scopes += [measure.touches for measure in unmodelled]
        scopes += [setting.scope for setting in law.set_claims]
        said = [note for note in law.line_notes if market == IMPORT and note.holds(instant, known_on)]
        scopes += [note.scope for note in said]
        effects = switch_effects(law, instant, known_on, market)
        scopes += effects.scopes
        self.index = ScopeIndex(self.in_force, scopes)
        bits = self.index.bits
        self._rows = [
            (active, rows, reduce(or_, (bit for _, bit in rows), 0))
            for active in self.in_force.actives
            for rows in [[(row, bits[row.scope]) for row in active.rows]]
        ]
        self.row_bits = reduce(or_, (own for _, _, own in self._rows), 0)
        conditions = [row.conditions for active in self.in_force.actives for row in active.rows]
        conditions += [(*one.rule.conditions, *one.rule.unless) for one in self.in_force.rules]
        self.reads_mode = any(test.claim == MODE for test in chain.from_iterable(conditions))
        self._asks = {claim.id: sum({bits[scope] for scope in claim.asks}) for claim in law.claims.values()}
        places = [bits[scope] for scope in effects.scopes]
        self._switches = {
            name: [[reduce(or_, (places[n] for n in group), 0) for group in effect] for effect in found]
            for name, found in effects.effects.items()
        }
        self._not_modelled = [(bits[measure.touches], _not_modelled(measure.id)) for measure in unmodelled]
        self._line_notes = [(bits[note.scope], note) for note in said]
        self._open_claims: dict[str, frozenset[str]] = {}
        self._preferences = _preferences(law, market)
        self.program_claims = frozenset(claim for claim, _ in self._preferences)
        order = list(law.authorities.get("reporting", {}).get("order", ()))
        measures = {active.measure.id: active.measure.authority for active in self.in_force.actives}
        self.places = {measure: _place(authority, order) for measure, authority in measures.items()}
        self.rule_texts = {rule.id: rule.text for rule in law.rules}
        self.rule_headings = {active.rule.id: active.rule.heading for active in self.in_force.rules}

    @property
    def law(self) -> Law:
        """The law, which the caller of any method holds."""
        law = self._law()
        if law is None:
            raise ReferenceError("the law of the segment is gone")
        return law

    def is_of(self, law: Law) -> bool:
        """Test whether it is a segment of a law."""
        return self._law() is law

    def candidates(self, reach: int) -> Candidates:
        """List by measure the rows among these scopes, in order, up to the first without conditions."""
        matched: list[tuple[Active, tuple[Row, ...]]] = []
        for active, rows, own in self._rows:
            if not reach & own:
                continue
            reaching: list[Row] = []
            for row, bit in rows:
                if reach & bit:
                    reaching.append(row)
                    if not row.conditions:
                        break
            matched.append((active, tuple(reaching)))
        return tuple(matched)

    def is_asked(self, claim: str, reach: int) -> bool:
        """Test whether answers about goods in these scopes ask for a claim."""
        return bool(self._asks.get(claim, 0) & reach)

    def not_modelled(self, reach: int) -> tuple[Note, ...]:
        """Notes on the measures that may apply to goods in these scopes and are not modelled."""
        return tuple(note for bit, note in self._not_modelled if reach & bit)

    def line_notes(self, reach: int) -> tuple[LineNote, ...]:
        """Notes of the law on goods in these scopes."""
        return tuple(note for bit, note in self._line_notes if reach & bit)

    def switches(self, reach: int) -> dict[str, str]:
        """Switches that an answer about goods in these scopes depends on, with their values."""
        return {
            name: self.law.setting(name)
            for name, effects in self._switches.items()
            if any(all(reach & group for group in effect) for effect in effects)
        }

    def open_claims(self, origin: str) -> frozenset[str]:
        """Claims of the special programs that are open to an origin."""
        found = self._open_claims.get(origin)
        if found is None:
            found = frozenset(
                claim for claim, members in self._preferences if not members or origin in members
            )
            self._open_claims[origin] = found
        return found

    def reaches(self, scope: Scope, reach: int) -> bool:
        """Test whether a scope of the index is among these."""
        return bool(self.index.bits[scope] & reach)


def segment_of(law: Law, instant: datetime, known_on: date, market: str = IMPORT) -> LawSegment:
    """Return the segment of a law at an instant as known on a day, compiled if it is not cached."""
    cache = law.in_force(instant, known_on, market).cache
    segment: LawSegment | None = cache.get(_CACHED)
    if segment is None:
        segment = cache[_CACHED] = LawSegment(law, instant, known_on, market)
    return segment


def cached_segment(law: Law, instant: datetime, known_on: date) -> LawSegment | None:
    """Return the segment of imports of `segment_of` if it is cached."""
    in_force = law.cached_in_force(instant, known_on, IMPORT)
    return None if in_force is None else in_force.cache.get(_CACHED)


def _preferences(law: Law, market: str) -> list[tuple[str, frozenset[str]]]:
    """Claims of reduced ordinary rates in a market, with the origins they are open to (none: all)."""
    if market == IMPORT:
        return [(program.claim, program.members) for program in law.programs.values() if program.members]
    abroad = law.markets.get(market)
    preference = abroad.preference if abroad else None
    return [(preference.claim, preference.origins)] if preference else []


def _place(authority: str, order: list[str]) -> int:
    """Place of the nearest ancestor of an authority that the order names; the last place without one."""
    return next((order.index(node) for node in nodes_above(authority) if node in order), len(order))


def _not_modelled(measure: str) -> Note:
    return Note(
        "NOT_MODELLED", f"{measure} may apply to this line and is not modelled yet; it charges nothing."
    )
