"""Price a line under a set of levers: quote it as changed, refund void duty, take drawback of what is left.

Sources of each step are those of the levers (levers.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.line_duty.entry_dates import entry_moment
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.pricing import cents
from tariffs.engine.line_duty.quote import Quote, quote_line
from tariffs.engine.line_duty.rounding import QuoteLayer
from tariffs.engine.runs.law_history.law_changes import ChangeWindow
from tariffs.firm.law_days import Laws, days_of
from tariffs.firm.levers import Facts, FactValue, Lever, LeverData, rule_for

ZERO, ONE = Decimal(0), Decimal(1)
IMPORT_DATE = "import_date"
Plan = tuple[Lever, ...]


@dataclass(frozen=True, slots=True)
class PlanCost:
    """Cost of a line under a plan, USD.

    Attributes:
        duty: duty paid.
        fees: merchandise processing and harbor maintenance fee.
        refunded: void duty that comes back.
        drawback: drawback; with `refunded` never above duty and fees.
        cash: worth of paying later what does not come back; None if no rate of interest is given.
        day: day whose rates hold, where a lever chooses it.
        conditions: facts that are not given and would add drawback.
        excluded: authorities whose duty no drawback gives back.
        unsourced: authorities for which no rule was read; nothing is counted.
    """

    duty: Decimal = ZERO
    fees: Decimal = ZERO
    refunded: Decimal = ZERO
    drawback: Decimal = ZERO
    cash: Decimal | None = ZERO
    day: date | None = None
    conditions: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    unsourced: tuple[str, ...] = ()

    @property
    def net(self) -> Decimal:
        """Duty and fees less what comes back."""
        return self.duty + self.fees - self.refunded - self.drawback

    @property
    def weighed(self) -> Decimal:
        """Net cost less the worth of paying later."""
        return self.net - (self.cash or ZERO)

    @property
    def paid(self) -> Decimal:
        """Duty and fees before anything comes back."""
        return self.duty + self.fees

    def plus(self, other: PlanCost, weight: Decimal) -> PlanCost:
        """Add a cost with a weight."""
        cash = None if other.cash is None or self.cash is None else self.cash + weight * other.cash
        return replace(
            self,
            duty=self.duty + weight * other.duty,
            fees=self.fees + weight * other.fees,
            refunded=self.refunded + weight * other.refunded,
            drawback=self.drawback + weight * other.drawback,
            cash=cash,
            conditions=_joined(self.conditions, other.conditions),
            excluded=_joined(self.excluded, other.excluded),
            unsourced=_joined(self.unsourced, other.unsourced),
        )

    def rounded(self) -> PlanCost:
        """Round each amount to cents, half up."""
        return replace(
            self,
            duty=cents(self.duty),
            fees=cents(self.fees),
            refunded=cents(self.refunded),
            drawback=cents(self.drawback),
            cash=None if self.cash is None else cents(self.cash),
        )


class LeverClosedError(Exception):
    """Lever that the law does not allow for the line; `cost` is what it would pay otherwise, if that is known."""

    def __init__(self, message: str, cost: PlanCost | None = None) -> None:
        super().__init__(message)
        self.cost = cost


class FactNeededError(Exception):
    """Fact that a plan needs on the facts given, and lacks: its name."""


_Paid = tuple[QuoteLayer, Decimal]
"""Layer with what is left of its amount."""


class _Eligible(NamedTuple):
    """Duty of which drawback is given; facts that would add some, and authorities that are left out."""

    amount: Decimal
    conditions: list[str]
    excluded: list[str]
    unsourced: list[str]


@dataclass(frozen=True, slots=True)
class _Days:
    """Day of admission, and entry of the goods as the quote reads it: rates of `rates`, fees of `leaves`."""

    admitted: date
    leaves: date
    rates: date | str | None
    fees: date | str | None


@dataclass(frozen=True, slots=True)
class Pricer:
    """Price plans for one line under the laws of a scenario."""

    laws: Laws
    line: EntryLine
    facts: Facts
    data: LeverData
    known_on: str | date | None = None
    _quotes: dict[object, Quote] = field(default_factory=dict)
    _spans: dict[ChangeWindow, list[date]] = field(default_factory=dict)

    @property
    def entered(self) -> date:
        """Day of the ordinary entry."""
        law = self.laws[0][1]
        return entry_moment(law, self.line.entry).instant.astimezone(law.zones[IMPORT]).date()

    def knowing(self, more: Mapping[str, FactValue]) -> Pricer:
        """Price with more facts."""
        return replace(self, facts={**self.facts, **more})

    def cost(self, plan: Plan) -> PlanCost:
        """Price a plan, expected over the laws.

        Raises:
            LeverClosedError: the law does not allow a lever of the plan.
            FactNeededError: a lever needs a fact on those that are given.
            InputError: the line cannot be quoted as the plan has it.
        """
        days = self._days(plan)
        total = PlanCost()
        for weight, law in self.laws:
            total = total.plus(self._under(law, plan, days), weight)
        return self._with_cash(total, plan, days)

    # -- days ------------------------------------------------------------------------------------------------------

    def _days(self, plan: Plan) -> _Days:
        custody = next((lever for lever in plan if lever.at), None)
        if custody is None:
            return _Days(self.entered, self.entered, self.line.entry, self.line.entry)
        admitted = _day(self.facts.get("admission"), self.entered)
        leaves = _day(self.facts.get("withdrawal"), self.entered)
        if leaves < admitted:
            raise InputError(
                "REQUEST_INVALID", f"The goods leave on {leaves}, before their admission on {admitted}.",
                field="facts.withdrawal", fix="Give a day of withdrawal on or after that of admission.",
            )  # fmt: skip
        if "withdraw_by" in self.facts and "withdrawal" not in self.facts:
            leaves = self._cheapest_day(plan, admitted, _day(self.facts["withdraw_by"], admitted))
        if custody.years and (leaves.year - custody.years, leaves.month, leaves.day) > (
            admitted.year, admitted.month, admitted.day,
        ):  # fmt: skip
            raise LeverClosedError(f"Goods may stay {custody.years} years; they would leave on {leaves}.")
        return _Days(admitted, leaves, admitted if custody.at == "admission" else leaves, leaves)

    def _cheapest_day(self, plan: Plan, first: date, last: date) -> date:
        """Find the first day, of those on which an act on the goods takes effect, with the least duty and fees."""
        if last < first:
            raise InputError(
                "REQUEST_INVALID", f"The goods leave by {last}, before their admission on {first}.",
                field="facts.withdraw_by", fix="Give a day on or after that of admission.",
            )  # fmt: skip
        window = ChangeWindow(first, last, self.line.hts.replace(".", ""), self.line.origin)
        if window not in self._spans:
            self._spans[window] = [day for day, _ in days_of(self.laws, window)]
        return min(
            self._spans[window], key=lambda day: (self.knowing({"withdrawal": day}).cost(plan).net, day)
        )

    def _with_cash(self, cost: PlanCost, plan: Plan, days: _Days) -> PlanCost:
        """Add the worth of paying later than the ordinary entry, at simple interest."""
        custody = any(lever.at for lever in plan)
        monthly = any(lever.monthly for lever in plan)
        shown = replace(cost, day=days.rates if custody and isinstance(days.rates, date) else None)
        if not custody and not monthly:
            return shown
        rate = self.facts.get("rate")
        if not isinstance(rate, Decimal):
            return replace(shown, cash=None)
        terms = self.data.payment
        paid = terms.by_statement(days.leaves) if monthly else terms.by_summary(days.leaves)
        later = Decimal((paid - terms.by_summary(self.entered)).days)
        return replace(shown, cash=max(ZERO, cost.net) * rate * later / terms.days_of_year)

    # -- amounts ---------------------------------------------------------------------------------------------------

    def _under(self, law: Law, plan: Plan, days: _Days) -> PlanCost:
        """Price a plan under one law."""
        line = self._changed(plan, days)
        exported = _share(self.facts.get("export_share"))
        custody = next((lever for lever in plan if lever.bonded), None)
        entered = ONE if custody is None or self._enters(law, custody) else ONE - exported
        cost = PlanCost()
        layers: list[_Paid] = []
        if entered:
            part = _scaled(line, entered)
            quote = self._quote(law, part._replace(entry=days.rates))
            layers = [(layer, self._collected(law, layer, plan, days)) for layer in quote.layers]
            cost = PlanCost(
                sum((paid for _, paid in layers), ZERO), self._processing_fee(law, part, plan, days)
            )
        cost = replace(cost, fees=cost.fees + self._quote(law, line._replace(entry=days.fees)).landed.hmf)
        self._check_open(law, line, plan, days, cost)
        if any(lever.refund for lever in plan):
            void = [(layer, max(ZERO, paid - layer.owed)) for layer, paid in layers]
            cost = replace(cost, refunded=sum((amount for _, amount in void), ZERO))
            layers = [(layer, paid - back) for (layer, paid), (_, back) in zip(layers, void, strict=True)]
        if custody is not None or not any(lever.drawback for lever in plan):
            return cost
        return self._with_drawback(law, cost, plan, line, layers)

    def _changed(self, plan: Plan, days: _Days) -> EntryLine:
        """Change code, value and claims of the line as the levers say; value first, as claims may need it."""
        line, facts = self.line, self.facts
        for lever in plan:
            if lever.code:
                line = line._replace(hts=str(facts[lever.code]))
            if lever.value:
                line = line._replace(value=_number(facts[lever.value]))
        for lever in plan:
            if lever.claims:
                value = Decimal(str(line.value).replace(",", ""))
                claims = {name: _claim(text, value, facts) for name, text in lever.claims.items()}
                line = line._replace(claims={**line.claims, **claims})
        if any(lever.at for lever in plan):
            line = line._replace(claims={IMPORT_DATE: days.admitted.isoformat(), **line.claims})
        return line

    def _collected(self, law: Law, layer: QuoteLayer, plan: Plan, days: _Days) -> Decimal:
        """Amount of a layer that is collected: a void duty that locked rates hold is not, after its collection stop."""
        if layer.owed >= layer.amount or not any(lever.at == "admission" for lever in plan):
            return layer.amount
        leaves = entry_moment(law, days.leaves).instant
        acts = [act for act in law.acts[layer.measure] if act.change.op == "invalidate"]
        stops = [act.collection_stop or act.start for act in acts]
        return layer.owed if any(stop is not None and stop <= leaves for stop in stops) else layer.amount

    def _processing_fee(self, law: Law, line: EntryLine, plan: Plan, days: _Days) -> Decimal:
        """Merchandise processing fee on the day the goods leave, or a part of that of a week's entry."""
        weekly = next((lever for lever in plan if lever.weekly), None)
        count = _number(self.facts[weekly.weekly]) if weekly is not None else ONE
        return self._quote(law, _scaled(line, count)._replace(entry=days.fees)).landed.mpf / count

    def _check_open(self, law: Law, line: EntryLine, plan: Plan, days: _Days, cost: PlanCost) -> None:
        """Refuse a status that a duty on the goods, on the day of admission, closes to them."""
        if not any(lever.closed_by_duties for lever in plan):
            return
        admitted = self._quote(law, line._replace(entry=days.admitted, hts=self.line.hts))
        for layer in admitted.layers:
            rule = rule_for(self.data.privileged_only, law.measures[layer.measure].parents, days.admitted)
            if rule is not None and layer.amount > 0:
                raise LeverClosedError(
                    f"Goods that pay {layer.measure} on the day of admission may have privileged foreign status alone "
                    f"({'; '.join(rule.cite)}).",
                    replace(cost, day=days.leaves, cash=None),
                )

    def _enters(self, law: Law, custody: Lever) -> bool:
        """Test whether exports from custody pay as entries: goods made in a zone that go to a partner."""
        return custody.partner_exports_enter and self._to_partner(law)

    def _to_partner(self, law: Law) -> bool:
        members = [part.members for part in law.groups[self.data.partners]]
        return any(self.facts.get("export_to") in each for each in members)

    def _with_drawback(
        self, law: Law, cost: PlanCost, plan: Plan, line: EntryLine, layers: Sequence[_Paid]
    ) -> PlanCost:
        """Add drawback on what is left of the layers: of the exported share, or of the lesser duty."""
        lever = next(one for one in plan if one.drawback)
        is_limited = self._to_partner(law) and lever.partner == "lesser"
        if self._to_partner(law) and lever.partner == "none":
            raise LeverClosedError("Exports to a USMCA country are no basis of this drawback.")
        if is_limited and "foreign_duty" not in self.facts:
            raise FactNeededError("foreign_duty")
        exported = _share(self.facts.get("export_share"))
        paid = self._eligible(law, lever, layers)
        back = (paid.amount + (cost.fees if lever.returns_fees else ZERO)) * exported
        if lever.lesser_of:
            other = self._quote(
                law, _scaled(line, exported)._replace(value=_number(self.facts[lever.lesser_of]))
            )
            owed = any(one.refund for one in plan)
            would = [(layer, layer.owed if owed else layer.amount) for layer in other.layers]
            fees = other.landed.mpf + other.landed.hmf if lever.returns_fees else ZERO
            back = min(back, self._eligible(law, lever, would).amount + fees)
        given = back * self.data.drawback_share
        if is_limited:
            given = min(given, _number(self.facts["foreign_duty"]))
        return replace(
            cost,
            drawback=given,
            conditions=tuple(dict.fromkeys(paid.conditions)),
            excluded=tuple(dict.fromkeys(paid.excluded)),
            unsourced=tuple(dict.fromkeys(paid.unsourced)),
        )

    def _eligible(self, law: Law, lever: Lever, layers: Sequence[_Paid]) -> _Eligible:
        """Sum the duty of which drawback is given, and name what is left out."""
        found = _Eligible(ZERO, [], [], [])
        for layer, left in layers:
            if left <= 0:
                continue
            rule = rule_for(self.data.drawback, law.measures[layer.measure].parents, self.entered)
            if rule is None:
                found.unsourced.append(layer.authority)
            elif lever.drawback not in rule.kinds:
                found.excluded.append(layer.authority)
            elif rule.fact and self.facts.get(rule.fact) is not True:
                found.conditions.append(rule.fact)
            else:
                found = found._replace(amount=found.amount + left)
        return found

    def _quote(self, law: Law, line: EntryLine) -> Quote:
        """Quote a line, once for each change of it."""
        claims = tuple(sorted((name, str(value)) for name, value in line.claims.items()))
        key = (id(law), line.hts, str(line.value), str(line.quantity), str(line.entry), claims)
        if key not in self._quotes:
            quote = quote_line(law, line, known_on=self.known_on)
            if quote.prohibited:
                raise LeverClosedError(f"The goods may not be entered: {', '.join(quote.prohibited)}.")
            self._quotes[key] = quote
        return self._quotes[key]


def _joined(some: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


def _scaled(line: EntryLine, factor: Decimal) -> EntryLine:
    """Scale value and quantity."""
    if factor == ONE:
        return line
    quantity = None if line.quantity is None else _number(str(line.quantity)) * factor
    value = _number(str(line.value).replace(",", "")) * factor
    return line._replace(value=value, quantity=quantity)


def _claim(text: str, value: Decimal, facts: Facts) -> Decimal | str:
    """Read a claim of a lever: a text, a fact, or the value less a fact."""
    words, _, fact = text.partition("$")
    if not fact:
        return text
    return max(ZERO, value - _number(facts[fact])) if words else _number(facts[fact])


def _day(value: object, otherwise: date) -> date:
    return value if isinstance(value, date) else otherwise


def _share(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else ZERO


def _number(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
