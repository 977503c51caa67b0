"""Profile of a class of goods: all that its quotes share besides value, quantity and the rates of its own code.

A class is the scopes that a code and origin are in, the special programs open to the origin, and the facts declared.
Its profile is worked out once in a segment of a law: the rows that fit, stacking, and the facts asked for.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from tariffs.engine.base.bounded_cache import BoundedCache, Key, Value
from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import MODE, Condition, Fact
from tariffs.engine.law.law import Law
from tariffs.engine.law.line_notes import LineNote
from tariffs.engine.law.matching import Candidates
from tariffs.engine.law.model import Row
from tariffs.engine.law.notes import Note, mode_assumed
from tariffs.engine.law.provisions import freeing_claims
from tariffs.engine.law.set_shares import facts_with_claim_shares
from tariffs.engine.line_duty.entry_line import ResolvedLine
from tariffs.engine.line_duty.prohibition import Prohibited, prohibited_by
from tariffs.engine.line_duty.segment import LawSegment
from tariffs.engine.rating.facts import assignments, shares_left, split
from tariffs.engine.rating.fits import StackedRow, Stacker, claims_read, conditions_read, first_fit

_PROFILES_KEPT = 8192
"""Profiles of all laws together; one takes some 4 KB."""
_ROWS_KEPT = 16_384
"""Stacked rows that profiles share; one takes some 1 KB."""
ORDINARY = "ordinary"
YES_OR_NO = frozenset({"share", "bool"})
SegmentKey = tuple[Hashable, ...]
"""Key of a cache that begins with the number of a segment."""
_ClassKey = tuple[int, int, frozenset[str], frozenset[tuple[str, Fact]]]


@dataclass(frozen=True, slots=True)
class StackedAtom:
    """Part of a line with only yes-or-no facts: its weight, its rows, and those of the owed duty.

    `owed` is the same object as `assessed` where they do not differ.
    """

    weight: Decimal
    assessed: tuple[StackedRow, ...]
    owed: tuple[StackedRow, ...] = ()


class ClaimedPreference(NamedTuple):
    """Preference claimed: its claim, the column of the ordinary rate that it alone would give, and the headings that
    would free the goods of ordinary duty if they were claimed too.
    """

    claim: str
    column: str
    provisions: tuple[str, ...]


Outcome = tuple[StackedAtom, ...]
"""Atoms of a line under some facts; their weights sum to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassProfile:
    """Profile of a class of goods. It holds no reference to the law, so that unused laws can be collected.

    Attributes:
        facts: facts declared, with the shares set by the scenario of the law.
        missing: facts requested and not declared.
        assumptions: values assumed for facts neither declared nor requested.
        notes: measures that may apply to the goods and are not modelled.
        line_notes: notes of the law on the goods, those on small values among them.
        switches: switches that the answer depends on, with their values.
        prohibited: measures that prohibit the goods or a part of them.
        preferences: preferences claimed that no provision of chapter 98 grants alone.
        idle_claims: yes-or-no facts claimed on which no duty of the goods depends.
        declared: rows under the facts declared.
        undecided: measures whose rows are not the same under every joint assignment of the facts requested.
        possible: distinct rows of these measures under the assignments; empty if no fact is requested.
        latent: measures of these rows that have none under the facts declared.
        places: places of measures on the entry summary.
        rule_texts: texts of the stacking rules, by id.
        rule_headings: headings under which stacking rules report the layers they displace, by id.
    """

    facts: Mapping[str, Fact]
    missing: tuple[str, ...]
    assumptions: tuple[str, ...]
    notes: tuple[Note, ...]
    line_notes: tuple[LineNote, ...]
    switches: Mapping[str, str]
    prohibited: Prohibited
    preferences: tuple[ClaimedPreference, ...]
    idle_claims: tuple[str, ...]
    declared: Outcome
    undecided: frozenset[str]
    possible: tuple[Outcome, ...]
    latent: frozenset[str]
    places: Mapping[str, int]
    rule_texts: Mapping[str, str]
    rule_headings: Mapping[str, str]


_OF_SEGMENTS: list[BoundedCache[Any, Any]] = []


def kept_by_segment(cache: BoundedCache[Key, Value]) -> BoundedCache[Key, Value]:
    """Register a cache whose keys begin with the number of a segment: its entries go with the law of the segment."""
    _OF_SEGMENTS.append(cache)
    return cache


_PROFILES: BoundedCache[SegmentKey, ClassProfile] = kept_by_segment(BoundedCache(_PROFILES_KEPT, "classes"))
_ROWS: BoundedCache[SegmentKey, StackedRow] = kept_by_segment(BoundedCache(_ROWS_KEPT, "rows"))


def profile_of(law: Law, line: ResolvedLine) -> ClassProfile:
    """Return the profile of the class of a line, compiled if it is not cached.

    Raises:
        InputError: TOO_MANY_ATOMS.
        LawError: LAW_INVALID if the law requests too many facts of one line.
    """
    segment = line.when.segment(law)
    return profile_in(segment, line.article.code, line.article.origin, _facts(segment, line))


def profile_in(segment: LawSegment, code: str, origin: str, facts: Mapping[str, Fact]) -> ClassProfile:
    """Return the profile of goods in a segment of the law; errors as `profile_of`."""
    key = number, reach, open_claims, _ = _key(segment, code, origin, facts)
    found = _PROFILES.find(key)
    if found is None:
        if not segment.has_profiles:
            segment.has_profiles = True
            weakref.finalize(segment, _forget, number).atexit = False
        found = _PROFILES.keep(key, compile_profile(segment, reach, open_claims, facts))
    return found


def _forget(number: int) -> None:
    """Drop what is cached of a segment whose law is gone: nothing will ask for it, and it holds rows of that law."""
    for cache in _OF_SEGMENTS:
        cache.drop(lambda key: key[0] == number)


def cached_profile(law: Law, line: ResolvedLine) -> ClassProfile | None:
    """Return the profile of the class of a line if it is cached."""
    segment = line.when.cached_segment(law)
    if segment is None:
        return None
    return _PROFILES.find(_key(segment, line.article.code, line.article.origin, _facts(segment, line)))


def compiles_soon(law: Law, line: ResolvedLine) -> bool:
    """Test whether the class of a line is compiled in a millisecond: in a known segment, and without facts."""
    return not line.facts and not law.set_claims and line.when.cached_segment(law) is not None


def _facts(segment: LawSegment, line: ResolvedLine) -> Mapping[str, Fact]:
    """Facts of a line; the mode of transport is one of them only where a row reads it, so that classes stay few."""
    mode = line.line.mode
    return {**line.facts, MODE: mode} if mode and segment.reads_mode else line.facts


def _key(segment: LawSegment, code: str, origin: str, facts: Mapping[str, Fact]) -> _ClassKey:
    open_claims = segment.open_claims(origin)
    return segment.number, segment.index.reach(code, origin), open_claims, frozenset(facts.items())


def compile_profile(
    segment: LawSegment, reach: int, open_claims: frozenset[str], declared: Mapping[str, Fact]
) -> ClassProfile:
    """Compile the profile of a class without the cache.

    Args:
        reach: the scopes that the goods are in.
        open_claims: claims of the special programs that are open to the origin.

    Raises:
        InputError, LawError: as `profile_of`.
    """
    law, in_force = segment.law, segment.in_force
    rows = segment.candidates(reach)
    conditions = conditions_read(rows, in_force)
    read = claims_read(rows, in_force, conditions)
    facts = facts_with_claim_shares(
        law, segment.instant, lambda scope: segment.reaches(scope, reach), declared
    )
    left = shares_left(law.claims, facts)
    undeclared = sorted(law.claims.keys() & read - facts.keys())
    none_left = frozenset([name for name in undeclared if left.get(law.claims[name].partition, 1) == 0])
    missing = tuple([name for name in undeclared if name not in none_left and segment.is_asked(name, reach)])
    silent = read - (segment.program_claims - open_claims) - facts.keys() - set(missing)
    stacker = Stacker(law, in_force, rows, segment.program_claims)
    prohibited = prohibited_by(law, stacker, rows, facts, read)
    if prohibited.whole and prohibited.claims.isdisjoint(missing):
        missing = ()
    joint = _joint_facts(facts, assignments(law.claims, missing, conditions, left)) if missing else ()
    outcome = stack_atoms(segment, stacker, facts, read)
    undecided, possible = _undecided(outcome, _possible(segment, stacker, joint, read))
    return ClassProfile(
        facts=facts,
        missing=missing,
        assumptions=_assumptions(law, rows, silent, facts, none_left),
        notes=segment.not_modelled(reach) + _mode_notes(outcome),
        line_notes=segment.line_notes(reach),
        switches=segment.switches(reach),
        prohibited=prohibited,
        preferences=tuple(_preferences(law, segment.program_claims, rows, facts)),
        idle_claims=tuple(_idle_claims(segment, stacker, facts, declared, open_claims)),
        declared=outcome,
        undecided=undecided,
        possible=possible,
        latent=undecided - _rows_by_measure(outcome).keys(),
        places=segment.places,
        rule_texts=segment.rule_texts,
        rule_headings=segment.rule_headings,
    )


def stack_atoms(
    segment: LawSegment, stacker: Stacker, facts: Mapping[str, Fact], read: frozenset[str]
) -> Outcome:
    """Split goods into atoms, and stack the rows of each.

    Raises:
        InputError: TOO_MANY_ATOMS.
    """
    atoms = []
    for atom in split(segment.law.claims, facts, read):
        stacked = stacker.assessed(atom.facts)
        assessed, owed = (_shared(segment, rows) for rows in (stacked, stacker.owed(stacked, atom.facts)))
        atoms.append(StackedAtom(atom.weight, assessed, assessed if owed == assessed else owed))
    return tuple(atoms)


def _possible(
    segment: LawSegment, stacker: Stacker, joint: Iterable[Mapping[str, Fact]], read: frozenset[str]
) -> tuple[Outcome, ...]:
    found: dict[Outcome, None] = {}
    for facts in joint:
        # Too many atoms under an assignment give no bound.
        with suppress(InputError):
            atoms = split(segment.law.claims, facts, read)
            found[
                tuple(
                    StackedAtom(atom.weight, _shared(segment, stacker.assessed(atom.facts))) for atom in atoms
                )
            ] = None
    return tuple(found)


def _undecided(declared: Outcome, possible: Sequence[Outcome]) -> tuple[frozenset[str], tuple[Outcome, ...]]:
    """Find the measures whose rows differ between outcomes, and reduce the possible ones to the rows of these."""
    rows = [_rows_by_measure(outcome) for outcome in (declared, *possible)]
    measures = {measure for one in rows for measure in one}
    undecided = frozenset(
        name for name in measures if any(one.get(name) != rows[0].get(name) for one in rows)
    )
    return undecided, tuple(
        tuple(
            StackedAtom(atom.weight, tuple(row for row in atom.assessed if row.key[0] in undecided))
            for atom in outcome
        )
        for outcome in possible
    )


def _rows_by_measure(outcome: Outcome) -> dict[str, list[tuple[Decimal, StackedRow]]]:
    """Rows of each measure with the weights of their atoms, in order."""
    rows: dict[str, list[tuple[Decimal, StackedRow]]] = {}
    for atom in outcome:
        for row in atom.assessed:
            rows.setdefault(row.key[0], []).append((atom.weight, row))
    return rows


def _shared(segment: LawSegment, rows: Iterable[StackedRow]) -> tuple[StackedRow, ...]:
    """Replace rows by cached ones with the same price and reasons, so that each is priced once."""
    return tuple(_cached_row(segment, row) for row in rows)


def _cached_row(segment: LawSegment, row: StackedRow) -> StackedRow:
    return _ROWS.get((segment.number, row.identity), lambda: row)


# -- facts -----------------------------------------------------------------------------------------------------


def _joint_facts(
    facts: Mapping[str, Fact], assigned: Iterable[Mapping[str, Fact]]
) -> Iterator[dict[str, Fact]]:
    """Facts with each of these assignments of others."""
    for others in assigned:
        yield {**facts, **{name: fact for name, fact in others.items() if fact is not None}}


def _assumptions(
    law: Law, rows: Candidates, silent: frozenset[str], facts: Mapping[str, Fact], none_left: frozenset[str]
) -> tuple[str, ...]:
    """Values assumed for claims that are neither declared nor requested."""
    tests = [(row, condition) for _, reaching in rows for row in reaching for condition in row.conditions]
    silent -= {test.claim for _, test in tests} - {
        test.claim for row, test in tests if _decides(row, test, facts)
    }
    assumed = {
        condition.claim: "taken as claimed"
        for row, condition in tests
        if row.undeclared_applies and not condition.op and not condition.negated
    } | {
        condition.claim: f"taken as {condition.opposite}"
        for _, condition in tests
        if condition.op and condition.negated
    }
    assumed |= {active.measure.tested_on: "taken as the date of entry" for active, _ in rows}
    assumed |= dict.fromkeys(none_left, "taken as 0")
    return tuple(
        f"{name}: not declared, so {assumed.get(name, 'not granted or charged')}"
        for name in sorted(silent & law.claims.keys())
    )


def _decides(row: Row, condition: Condition, facts: Mapping[str, Fact]) -> bool:
    """Test whether the value assumed for a condition may decide if the row fits."""
    others = [other for other in row.conditions if other is not condition]
    return not condition.is_assumed(facts) or all(
        other.holds(facts, undeclared=row.undeclared_applies) for other in others
    )


def _mode_notes(outcome: Outcome) -> tuple[Note, ...]:
    """Notes on reliefs for goods on vessels that are granted though the mode of transport is not declared."""
    headings = {
        row.layer.heading or row.layer.row.heading: None
        for atom in outcome
        for row in atom.assessed
        if any(condition.claim == MODE for condition in row.assumed)
    }
    return tuple(mode_assumed(heading, "the line") for heading in headings)


def _preferences(
    law: Law, claims: frozenset[str], rows: Candidates, facts: Mapping[str, Fact]
) -> Iterator[ClaimedPreference]:
    """Preferences claimed, each as if it were the only one, but those that a provision claimed beside them grants."""
    reaching = [row for _, fitting in rows for row in fitting]
    ordinary = [row for row in reaching if row.kind == ORDINARY]
    for claim in sorted(name for name in claims if facts.get(name)):
        alone = {**facts, **dict.fromkeys(claims, False), claim: True}
        row = first_fit(ordinary, alone)
        freeing = [one for one in reaching if claim in freeing_claims(one, law.claims)]
        if row is not None and first_fit(freeing, alone) is None:
            yield ClaimedPreference(claim, row.column, tuple(dict.fromkeys(one.heading for one in freeing)))


def _idle_claims(
    segment: LawSegment,
    stacker: Stacker,
    facts: Mapping[str, Fact],
    declared: Mapping[str, Fact],
    open_claims: frozenset[str],
) -> Iterator[str]:
    """Yes-or-no facts claimed that change no row of the goods, as if each were true of all of them or of none.

    A preference that is open to the origin is none of them, since it decides fees too; one that is not leaves the
    ordinary duty as it is.
    """
    for name in sorted(name for name, fact in declared.items() if fact and name not in open_claims):
        if segment.law.claims[name].type not in YES_OR_NO:
            continue
        key = _beside_ordinary if name in segment.program_claims else _identity
        with_it, without = (
            [key(row) for row in stacker.assessed({**facts, name: fact})] for fact in (True, False)
        )
        if with_it == without:
            yield name


def _identity(row: StackedRow) -> Hashable:
    return row.identity


def _beside_ordinary(row: StackedRow) -> Hashable:
    """Value that is equal for rows that differ in the ordinary duty alone."""
    layer = row.layer
    if layer.row.kind == ORDINARY:
        return layer.active.index
    return layer.active.index, id(layer.row), layer.weights, layer.state, layer.heading, row.base
