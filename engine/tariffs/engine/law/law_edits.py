"""Effects of scenario changes on a law besides its measures: stacking rules, claim shares, limits on quantities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from tariffs.engine.errors import ScenarioError, TariffsError
from tariffs.engine.law.amendments import IMPORTER, Change
from tariffs.engine.law.describe_rows import percent
from tariffs.engine.law.known_names import unknown
from tariffs.engine.law.model import Rule, Scope, holds
from tariffs.engine.law.raw_fields import Context, in_scenario
from tariffs.engine.law.read import read_rule

_NOT_GIVEN = ("id", "from", "to")


@dataclass(frozen=True, slots=True)
class SetClaim:
    """The share of goods with a claim in [start, end), in place of the declared share."""

    claim: str
    share: Decimal
    scope: Scope
    start: datetime | None
    end: datetime | None

    def holds(self, instant: datetime) -> bool:
        """Test whether it is in force."""
        return holds(self.start, self.end, instant)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A limit on quantity in [start, end): of each variety, or of all together, or a floor under their sum.

    Attributes:
        scope: the goods.
        share: most of each variety, as a share of its baseline.
        limit: most of all together, USD at baseline prices.
        floor: least of all together, USD at baseline prices.
        compliance: the part of the cut or floor that takes effect.
        rents: who earns the premium of a limit, or bears that of a floor: one of RENT_HOLDERS.
        start, end: the instants.
    """

    scope: Scope
    share: Decimal | None
    limit: Decimal | None
    floor: Decimal | None
    compliance: Decimal
    rents: str
    start: datetime
    end: datetime | None

    def holds(self, instant: datetime) -> bool:
        """Test whether it is in force."""
        return holds(self.start, self.end, instant)

    @property
    def text(self) -> str:
        """Describe its size and who has its rents."""
        if self.share is not None:
            size = percent(self.share)
        elif self.limit is not None:
            size = f"at most {self.limit:,f} USD"
        else:
            size = f"at least {self.floor:,f} USD"
        return size if self.rents == IMPORTER else f"{size}, rents of the {self.rents}"


def set_claim(change: Change, context: Context) -> SetClaim:
    """Make the claim setting of a change."""
    start, end = _window(change, context)
    return SetClaim(change.claim, change.share or Decimal(0), change.goods, start, end)


def constraint(change: Change, context: Context) -> Constraint:
    """Make the constraint of a change."""
    compliance = Decimal(1) if change.compliance is None else change.compliance
    end = context.instant(change.until) if change.until else None
    return Constraint(
        change.goods,
        change.share,
        change.limit,
        change.floor,
        compliance,
        change.rents or IMPORTER,
        context.instant(change.start),
        end,
    )


def _window(change: Change, context: Context) -> tuple[datetime | None, datetime | None]:
    start = context.instant(change.start) if change.start else None
    return start, context.instant(change.until) if change.until else None


def rules_after(rules: Sequence[Rule], change: Change, context: Context) -> tuple[Rule, ...]:
    """End, restore, change or add a stacking rule from an instant on, if the change is known.

    A change with `known_from` leaves the rule as it was in the books before that day.
    Outside the window of the change a rule stays as it was; inside, it is off, on (whatever its own dates), or as
    the change defines it, in its old place among the rules. A new rule comes after the one named, else last.

    Raises:
        ScenarioError: NOTHING_MATCHED or SCENARIO_SYNTAX, with the path of the key at fault.
    """
    start, end = context.instant(change.start), context.instant(change.until) if change.until else None
    inside = _inside(rules, change, context, start, end)
    edited: list[Rule] = []
    placed = inside is None
    for rule in rules:
        if rule.id != change.rule:
            edited.append(rule)
            continue
        before, after = _at_publication(rule, change.known_from)
        edited += before
        edited += (part for version in after for part in _outside(version, start, end))
        if not placed and inside is not None:
            edited.append(inside)
            placed = True
    if not placed and inside is not None:
        edited.insert(_place(edited, change), inside)
    return tuple(edited)


def _inside(
    rules: Sequence[Rule], change: Change, context: Context, start: datetime, end: datetime | None
) -> Rule | None:
    """The rule as it holds in the window; None if it does not."""
    own = next((rule for rule in rules if rule.id == change.rule), None)
    if change.definition:
        return _defined(change, context, start, end)
    if own is None:
        raise _unknown(change.rule, rules, f"{change.path}.rule")
    if change.value != "on":
        return None
    return replace(own, start=start, end=end, ends=(), known_from=change.known_from, known_until=None)


def _defined(change: Change, context: Context, start: datetime, end: datetime | None) -> Rule:
    path = f"{change.path}.as"
    for key in _NOT_GIVEN:
        if key in change.definition:
            raise ScenarioError(
                "SCENARIO_UNKNOWN_KEY",
                f"A rule in a scenario has no key {key!r}: `rule`, `from` and `until` of the change say it.",
                path=f"{path}.{key}",
                fix="Leave it out.",
            )
    try:
        rule = read_rule({"id": change.rule, **change.definition}, context, path)
    except TariffsError as error:
        raise in_scenario(error, path) from None
    conf = change.definition.get("conf", change.conf)
    cite = rule.cite or change.cite
    return replace(rule, start=start, end=end, known_from=change.known_from, conf=conf, cite=cite)


def _place(rules: Sequence[Rule], change: Change) -> int:
    if not change.after:
        return len(rules)
    places = [index for index, rule in enumerate(rules) if rule.id == change.after]
    if not places:
        raise _unknown(change.after, rules, f"{change.path}.after")
    return places[-1] + 1


def _at_publication(rule: Rule, known_from: date | None) -> tuple[list[Rule], list[Rule]]:
    """Divide a rule at a day of publication: as in the books before it, and from it on; None is always."""
    if known_from is None:
        return [], [rule]
    if rule.known_until is not None and rule.known_until <= known_from:
        return [rule], []
    if rule.known_from is not None and rule.known_from >= known_from:
        return [], [rule]
    return [replace(rule, known_until=known_from)], [replace(rule, known_from=known_from)]


def _outside(rule: Rule, start: datetime, end: datetime | None) -> list[Rule]:
    """The parts of a rule before and after a window."""
    parts = []
    if rule.start is None or rule.start < start:
        parts.append(replace(rule, end=start if rule.end is None else min(rule.end, start)))
    if end is not None and (rule.end is None or rule.end > end):
        parts.append(replace(rule, start=end if rule.start is None else max(rule.start, end)))
    return parts


def _unknown(name: str, rules: Sequence[Rule], path: str) -> ScenarioError:
    return next(unknown((name,), {rule.id for rule in rules}, "stacking rule", path))
