"""Apply stacking rules to the layers of a line: which are displaced, on what base, by which rule (docs/law-data.md).

The walk knows only measures, weights and conditions. It runs once per profile in compile, and once per
atom of an entry line; never in a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tariffs.engine.law.conditions import Condition
from tariffs.engine.law.law import Active, ActiveRule
from tariffs.engine.law.model import (
    FULL_BASE,
    METALS,
    NO_WEIGHTS,
    PROCESSING,
    TAKE_FULL_BASE,
    Row,
    Weights,
)

APPLIED, EXEMPT, DISPLACED, SUSPENDED = "applied", "exempt", "displaced", "suspended"
PROHIBITED = "prohibited"
IN_LIEU = "in_lieu"
NO_CONTENT = "no_content"


@dataclass(slots=True)
class Step:
    """One rule that touched a layer, and the measures it fired on."""

    rule: str
    by: tuple[str, ...]
    heading: str = ""


@dataclass(slots=True)
class Layer:
    """A measure applied to one atom: its row, the rest of its base, and the rules that changed it."""

    active: Active
    row: Row
    weights: Weights
    state: str = APPLIED
    heading: str = ""
    steps: list[Step] = field(default_factory=list)
    closed: bool = False
    content: frozenset[int] = frozenset(METALS)

    @property
    def charged(self) -> bool:
        """True if applied with weight left on some part of the value that is not empty.

        `content` holds the metal parts above 0 on the line.
        """
        if self.state != APPLIED:
            return False
        # A plain loop takes half the time of a generator.
        for part, weight in enumerate(self.weights):  # noqa: SIM110
            if weight and (part not in METALS or part in self.content):
                return True
        return False

    def take(self, weights: Weights, step: Step) -> None:
        """Replace the weights of the layer; with none left it is displaced and closed."""
        self.weights = weights
        self.steps.append(step)
        if not any(weights):
            self.closed = True
            self.displace()

    def displace(self) -> None:
        """Mark a layer with nothing left as displaced, under the heading of the last rule that names one."""
        self.state = DISPLACED
        named = [step.heading for step in self.steps if step.heading]
        self.heading = named[-1] if named else self.heading


def open_layer(active: Active, row: Row, content: frozenset[int]) -> Layer:
    """Make a layer before the rules. `content` are the metal parts above 0 on the line."""
    layer = Layer(active, row, row.base, heading=row.heading, content=content)
    if row.suspended:
        layer.state = SUSPENDED
    elif row.exempt:
        layer.state = EXEMPT
    elif not layer.charged:
        layer.state = EXEMPT
        layer.steps.append(Step(NO_CONTENT, ()))
    if layer.state != APPLIED:
        layer.weights = NO_WEIGHTS
    return layer


def walk(
    fits: Iterable[tuple[Active, Row]],
    rules: Sequence[ActiveRule],
    holds: Callable[[Condition], bool],
    content: frozenset[int],
) -> list[Layer]:
    """Apply all rules to one atom: its layers, in the order of the law.

    Args:
        fits: the measures of the atom with the first row that fits each.
        rules: the stacking rules in force, in file order.
        holds: whether a condition holds on the atom.
        content: the metal parts that are above 0.
    """
    layers = [open_layer(active, row, content) for active, row in fits]
    present = frozenset([layer.active.index for layer in layers])
    for rule in rules:
        # Most rules are about measures the atom does not have; they could change nothing.
        if not rule.touches(present):
            continue
        if not all(holds(c) for c in rule.rule.conditions) or any(holds(c) for c in rule.rule.unless):
            continue
        if rule.members:
            _pick_one(layers, rule)
        else:
            _apply(layers, rule)
    _in_lieu(layers)
    return layers


def _apply(layers: list[Layer], active: ActiveRule) -> None:
    rule = active.rule
    firing = [
        layer
        for layer in layers
        if layer.active.index in active.when and layer.charged and layer.row.heading not in rule.when_not
    ]
    if rule.when and not firing:
        return
    taken = [(layer.active.index, layer.weights) for layer in firing]
    for layer in layers:
        if layer.active.index not in active.on or not layer.charged or layer.closed:
            continue
        others = [weights for index, weights in taken if index != layer.active.index]
        if rule.when and not others:
            continue
        by = tuple(f.active.measure.id for f in firing if f is not layer)
        if rule.take == TAKE_FULL_BASE and layer.weights != FULL_BASE:
            continue
        if rule.take == "all":
            left = NO_WEIGHTS
        elif rule.replaces_base:
            left = rule.base
        else:
            left = _less(layer.weights, others)
        layer.take(left, Step(rule.id, by, rule.heading))


def _less(weights: Weights, others: Sequence[Weights]) -> Weights:
    """Subtract the weights of others, part by part and never below 0; processing is not part of the value."""
    return tuple(
        weight
        if part == PROCESSING
        else max(Decimal(0), weight - sum((other[part] for other in others), Decimal(0)))
        for part, weight in enumerate(weights)
    )


def _pick_one(layers: list[Layer], active: ActiveRule) -> None:
    rule = active.rule
    members = [
        layer
        for wanted in active.members
        for layer in layers
        if layer.active.index in wanted and layer.charged
    ]
    if len(members) < 2:
        return
    chosen = (
        members[0] if rule.pick == "first" else max(members, key=lambda layer: layer.row.rate or Decimal(0))
    )
    for layer in members:
        if layer is not chosen:
            layer.take(NO_WEIGHTS, Step(rule.id, (chosen.active.measure.id,), rule.heading))


def _in_lieu(layers: list[Layer]) -> None:
    """Displace the ordinary duty where a total is charged.

    Totals are enacted "in lieu of" the ordinary duty: Proc 10420 and 10523 (goods of column 2), Proc 11020 and U.S.
    note 40 (pharmaceuticals), Proc 11059 (beef); HTS chapter 98, subchapters XIX and XX (apparel).
    """
    totals = tuple(
        [layer.active.measure.id for layer in layers if layer.row.kind == "total" and layer.charged]
    )
    if totals:
        for layer in layers:
            if layer.row.kind == "ordinary" and layer.charged:
                layer.take(NO_WEIGHTS, Step(IN_LIEU, totals))
