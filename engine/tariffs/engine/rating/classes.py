"""Classify the atoms of a table by the rows that may fit them and by the facts that these rows test.

A *class* is a set of rows whose products and origins reach the goods; a *combination* is a class with the facts that
its rows and the stacking rules test. Both depend on which rows a family of laws has, not on their rates or states, so
that all laws of the family share them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import I8, I32, I64, Bools, factorize, first_of
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.model import METALS
from tariffs.engine.rating.fact_tests import (
    CONTENT,
    UNDECLARED_CONTENT,
    ConditionTest,
    FactTest,
    fact_patterns,
)
from tariffs.engine.rating.fits import CONTENT_CLAIMS
from tariffs.engine.tables.atoms import Atoms
from tariffs.engine.tables.line_arrays import LineArrays

ASSUMED = len(METALS) + 1
"""Contents that an undeclared one may be taken as: none, or all of one metal."""


@dataclass(frozen=True, slots=True)
class RowReach:
    """Goods and facts that a row of a measure fits, whatever its rate or state.

    Attributes:
        measure: names that select the measure: its id and the authority nodes above it.
        products, origins: bytes of the masks of codes and origins within its scope.
        conditions: its conditions.
        undeclared_applies: a bare claim that is not declared counts as claimed.
        weighs_metal: its base weighs a metal differently from the rest of the value.
    """

    measure: tuple[str, ...]
    products: bytes
    origins: bytes
    conditions: tuple[ConditionTest, ...]
    undeclared_applies: bool
    weighs_metal: bool

    @property
    def reads_content(self) -> bool:
        """True if the content of metals decides whether or on what the row charges."""
        return self.weighs_metal or any(c.claim in CONTENT_CLAIMS.values() for c in self.conditions)

    @property
    def tests(self) -> list[FactTest]:
        """Tests of facts that the row reads."""
        tests = [c.test for c in self.conditions if c.test is not None]
        if self.undeclared_applies:
            tests += [FactTest.undeclared(c.claim) for c in self.conditions if c.bare]
        return [*tests, *CONTENT, *UNDECLARED_CONTENT] if self.reads_content else tests


@dataclass(frozen=True, slots=True)
class RuleReach:
    """Facts that a stacking rule tests on goods of the measures that it names, by id or authority node."""

    measures: frozenset[str]
    conditions: tuple[ConditionTest, ...]
    weighs_metal: bool

    @property
    def tests(self) -> list[FactTest]:
        """Tests of facts that the rule reads."""
        tests = [c.test for c in self.conditions if c.test is not None]
        content = self.weighs_metal or any(c.claim in CONTENT_CLAIMS.values() for c in self.conditions)
        return [*tests, *CONTENT, *UNDECLARED_CONTENT] if content else tests


@dataclass(frozen=True, slots=True)
class Scopes:
    """Masks of codes and of origins by the key of a scope."""

    products: Mapping[bytes, Bools]
    origins: Mapping[bytes, Bools]


@dataclass(frozen=True)
class Combinations:
    """Distinct combinations of class and facts on the atoms of a table (n), and those with an assumed content (m >= n).

    Attributes:
        class_of_piece: class of each piece.
        reached: reaches whose products and origins have each class (classes x reaches).
        of_atom: combination of each atom.
        count: number of combinations n on atoms.
        eligible: per reach, the combinations that a row of it may fit (reaches x m).
        assumed: for combinations without declared content, the combination with none or all in each metal (n x 4); the
            combination itself where the content is declared or not read.
        is_silent: combinations that read a content not declared (n).
        content: bit per metal with content above 0 (m).
        rule_facts: distinct outcomes of the conditions of all rules (m), an index into `rule_outcomes`.
        rule_outcomes: whether each condition of `rule_conditions` holds (outcomes x conditions).
        rule_conditions: place of each distinct condition of rules.
    """

    class_of_piece: I32
    reached: Bools
    of_atom: I32
    count: int
    eligible: Bools
    assumed: I32
    is_silent: Bools
    content: I8
    rule_facts: I32
    rule_outcomes: Bools
    rule_conditions: Mapping[ConditionTest, int]


def classify(
    reaches: Sequence[RowReach], rules: Sequence[RuleReach], scopes: Scopes, lines: LineArrays, atoms: Atoms
) -> Combinations:
    """Find the combinations of a table under a family of laws.

    Args:
        reaches: the distinct reaches of all rows of the family.
        rules: those of its stacking rules.
        scopes: masks of the scopes that reaches name.

    Raises:
        LawError: TOO_MANY_TESTS.
    """
    class_of_piece, fits = _classes(reaches, scopes, lines)
    readers: list[RowReach | RuleReach] = [*reaches, *rules]
    tests = list(dict.fromkeys(test for reader in readers for test in reader.tests))
    line_pattern, patterns = fact_patterns(lines, tests)
    checkpoint()
    reads_test, reads_share = _reads(reaches, rules, fits, tests, atoms)
    raw = (class_of_piece[atoms.piece] * len(patterns) + line_pattern[atoms.line]) * len(atoms.patterns)
    keys, raw_of_atom = factorize(raw + atoms.claimed)
    klass, facts, claimed = _parts(keys, len(patterns), len(atoms.patterns))
    checkpoint()
    held = patterns[facts] & reads_test[klass]
    shares = atoms.patterns[claimed] & reads_share[klass]
    first, of_raw = _distinct_rows(np.column_stack([held, shares]), klass)
    table = _FactColumns(tests, held[first], atoms.claims, shares[first])
    grown, assumed, silent = table.with_assumed_content()
    classes = np.concatenate([klass[first], klass[first][grown.origin]])
    conditions = list(dict.fromkeys(c for rule in rules for c in rule.conditions))
    outcomes = (
        np.array([grown.table.holds(c) for c in conditions], dtype=bool)
        .reshape(len(conditions), len(classes))
        .T
    )
    outcome_first, outcome_of = _distinct_rows(outcomes, np.zeros(len(classes), dtype=np.int64))
    return Combinations(
        class_of_piece.astype(np.int32),
        fits,
        of_raw[raw_of_atom].astype(np.int32),
        len(first),
        _eligible(reaches, fits, classes, grown.table),
        assumed,
        silent,
        grown.content,
        outcome_of.astype(np.int32),
        outcomes[outcome_first],
        {condition: place for place, condition in enumerate(conditions)},
    )


# -- classes of products and origins ---------------------------------------------------------------------------


def _classes(reaches: Sequence[RowReach], scopes: Scopes, lines: LineArrays) -> tuple[I64, Bools]:
    """Class of each piece, and per class the reaches that its code and origin are in (classes x reaches)."""
    product_class, product_fits = _scope_classes(
        [r.products for r in reaches], scopes.products, len(lines.codes)
    )
    origin_class, origin_fits = _scope_classes(
        [r.origins for r in reaches], scopes.origins, len(lines.origins)
    )
    width = max(1, len(origin_fits))
    pair = product_class[lines.piece_code] * width + origin_class[lines.piece_origin]
    pairs, pair_of_piece = factorize(pair)
    product, origin = np.divmod(pairs, width)
    packed = np.packbits(product_fits, axis=1)[product] & np.packbits(origin_fits, axis=1)[origin]
    first, class_of_pair = _distinct_bytes(packed)
    return class_of_pair[pair_of_piece], product_fits[product[first]] & origin_fits[origin[first]]


def _scope_classes(keys: Sequence[bytes], masks: Mapping[bytes, Bools], count: int) -> tuple[I64, Bools]:
    """Class of each code (or origin) by the scopes it is in, and per class the keys that have it."""
    distinct = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    bits = np.array([masks[key] for key in distinct], dtype=bool).reshape(len(distinct), count).T
    first, class_of = _distinct_rows(bits, np.zeros(count, dtype=np.int64))
    return class_of, bits[first][:, [distinct[key] for key in keys]]


def _distinct_rows(bits: Bools, label: I64) -> tuple[I64, I64]:
    """Index of the first of each distinct (label, row of bits), and for each row its place among the distinct ones."""
    packed = np.packbits(bits, axis=1)
    return _distinct_bytes(np.column_stack([label.astype("<i8").view(np.uint8).reshape(-1, 8), packed]))


def _distinct_bytes(rows: NDArray[np.uint8]) -> tuple[I64, I64]:
    """Index of the first of each distinct row, and for each row its place among the distinct ones."""
    if not rows.shape[1]:
        return np.zeros(min(1, len(rows)), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    rows = np.ascontiguousarray(rows)
    keys = rows.view(f"V{rows.shape[1]}").ravel().tolist()
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    of_row = np.fromiter(map(place.__getitem__, keys), dtype=np.int64, count=len(keys))
    return first_of(of_row), of_row


def _parts(keys: I64, facts: int, claimed: int) -> tuple[I64, I64, I64]:
    rest, last = np.divmod(keys, claimed)
    return rest // facts, rest % facts, last


# -- facts -----------------------------------------------------------------------------------------------------


def _reads(
    reaches: Sequence[RowReach],
    rules: Sequence[RuleReach],
    fits: Bools,
    tests: Sequence[FactTest],
    atoms: Atoms,
) -> tuple[Bools, Bools]:
    """Mark the tests and the share claims that rows and rules read on each class."""
    names: list[FactTest | str] = [*tests, *atoms.claims]
    place = {name: index for index, name in enumerate(names)}

    def read_by(readers: Sequence[RowReach | RuleReach]) -> Bools:
        marks = np.zeros((len(readers), len(names)), dtype=bool)
        for index, reader in enumerate(readers):
            read: list[FactTest | str] = [*reader.tests]
            read += [c.claim for c in reader.conditions if c.test is None and c.claim in place]
            marks[index, [place[name] for name in read]] = True
        return marks

    ruled = [[not rule.measures.isdisjoint(r.measure) for rule in rules] for r in reaches]
    by_rules = _product(np.array(ruled, dtype=bool).reshape(len(reaches), len(rules)), read_by(rules))
    reads = _product(fits, read_by(reaches) | by_rules)
    return reads[:, : len(tests)], reads[:, len(tests) :]


def _product(one: Bools, other: Bools) -> Bools:
    """Boolean matrix product; counts below 2**24 are exact in float32."""
    return np.asarray(one.astype(np.float32) @ other.astype(np.float32) > 0.5)


@dataclass(frozen=True)
class _Grown:
    """Combinations with those of assumed content appended; `origin` is the combination each of these is made from."""

    table: _FactColumns
    origin: I64
    content: I8


@dataclass(frozen=True)
class _FactColumns:
    """Outcome of each test and share claim on each combination."""

    tests: Sequence[FactTest]
    held: Bools
    claims: Sequence[str]
    shares: Bools

    def test(self, test: FactTest) -> Bools:
        column: Bools = self.held[:, self.tests.index(test)]
        return column

    def holds(self, condition: ConditionTest, *, undeclared_applies: bool = False) -> Bools:
        """Test a condition on every combination."""
        if condition.test is not None:
            outcome = self.test(condition.test)
        elif condition.claim in self.claims:
            outcome = self.shares[:, self.claims.index(condition.claim)]
        else:
            outcome = np.zeros(len(self.held), dtype=bool)
        outcome = ~outcome if condition.negated else outcome
        if undeclared_applies and condition.bare:
            outcome = outcome | self.test(FactTest.undeclared(condition.claim))
        return outcome

    def with_assumed_content(self) -> tuple[_Grown, I32, Bools]:
        """Append to each combination without declared content that itself, and those with all in each metal."""
        count = len(self.held)
        silent = np.zeros(count, dtype=bool)
        content = np.zeros(count, dtype=np.int8)
        if CONTENT[0] in self.tests:
            silent = np.logical_and.reduce([self.test(test) for test in UNDECLARED_CONTENT])
            for place, test in enumerate(CONTENT):
                content |= self.test(test).astype(np.int8) << place
        origin = np.repeat(np.flatnonzero(silent), ASSUMED)
        assumed = np.repeat(np.arange(count, dtype=np.int32)[:, None], ASSUMED, axis=1)
        assumed[silent] = count + np.arange(len(origin), dtype=np.int32).reshape(-1, ASSUMED)
        held = self.held[origin].copy()
        # Without an assumed metal the contents stay undeclared, and no comparison holds for them.
        for place in range(1, ASSUMED):
            for index, test in enumerate(self.tests):
                if test.is_content:
                    all_in = test.claim == CONTENT_CLAIMS[METALS[place - 1]]
                    held[place::ASSUMED, index] = test.holds_for_share(1.0 if all_in else 0.0)
        metal = np.tile(
            np.array([0, *(1 << place for place in range(len(METALS)))], dtype=np.int8), silent.sum()
        )
        table = _FactColumns(
            self.tests,
            np.concatenate([self.held, held]),
            self.claims,
            np.concatenate([self.shares, self.shares[origin]]),
        )
        return _Grown(table, origin, np.concatenate([content, metal])), assumed, silent


def _eligible(reaches: Sequence[RowReach], fits: Bools, classes: I64, facts: _FactColumns) -> Bools:
    """Mark the combinations that a row of each reach may fit (reaches x combinations)."""
    held: dict[tuple[tuple[ConditionTest, ...], bool], Bools] = {}
    eligible = np.ascontiguousarray(fits[classes].T)
    for index, reach in enumerate(reaches):
        key = (reach.conditions, reach.undeclared_applies)
        if reach.conditions and key not in held:
            checkpoint()
            held[key] = np.logical_and.reduce(
                [facts.holds(c, undeclared_applies=reach.undeclared_applies) for c in reach.conditions]
            )
        if reach.conditions:
            eligible[index] &= held[key]
    return eligible
