"""List lawful ways to pay less duty on a line, priced by quotes of the law. See docs/what-can-be-done.md.

A plan is a set of levers. It is priced as a whole: the line is changed and quoted, void duty refunded, and drawback
taken of what is left, so no dollar counts twice. The saving of a lever is that of the plan of it alone against none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from tariffs.engine.errors import InputError
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.pricing import cents
from tariffs.engine.scenario.model import Scenario
from tariffs.firm.asking import LineAsked, Under
from tariffs.firm.law_days import Laws
from tariffs.firm.levers import Facts, Lever, load_levers
from tariffs.firm.plan_cost import FactNeededError, LeverClosedError, Plan, PlanCost, Pricer
from tariffs.questions import options as answers

SAVES, NO_GAIN, NEEDS_FACT, CLOSED = "saves", "no_gain", "needs_fact", "closed"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Option:
    """Lever as it meets the line, USD.

    Attributes:
        lever: the lever.
        state: `saves`; `no_gain`, it saves nothing; `needs_fact`, nothing is computed; `closed`, the law does not allow
            it, or it cannot be computed.
        cost: what the line costs with it alone; None where it is not computed.
        saving: how much less than the ordinary entry; negative if it costs more. None where it is not computed.
        saving_if: saving if the missing facts were as the lever supposes; None if it supposes nothing.
        missing_facts: facts without which nothing is computed.
        would_change: facts that are not given and would change the amount.
        why: reason for the state.
    """

    lever: Lever
    state: str
    cost: PlanCost | None = None
    saving: Decimal | None = None
    saving_if: Decimal | None = None
    missing_facts: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    why: str = ""


class BestPlan(NamedTuple):
    """Levers that together save most, and the cost of the line with them."""

    levers: tuple[str, ...]
    cost: PlanCost
    saving: Decimal


@dataclass(frozen=True, slots=True)
class Options:
    """Ordinary entry of a line, its levers, and the best set of them.

    The saving of a set is below the sum of those of its levers where two reach for the same dollar.
    """

    ordinary: PlanCost
    options: tuple[Option, ...]
    best: BestPlan


def options(under: Under, *, line: LineAsked, facts: Mapping[str, str]) -> answers.OptionsResult:
    """Answer the question `options`: the options of a line under each scenario.

    Raises:
        InputError: an invalid line or fact.
    """
    data = load_levers()
    known = data.read_facts(facts)

    def listed(scenario: Scenario, before: Options | None) -> Options:
        return list_options(under.laws(scenario), line.read(), known, known_on=under.known_on, before=before)

    before, found = listed(under.plain, None), list[answers.ScenarioOptions]()
    for scenario in under.scenarios:
        under.check()
        found.append(
            _answer(scenario.id, before if scenario.id == under.plain.id else listed(scenario, before))
        )
    return answers.OptionsResult(
        tuple(found),
        tuple(answers.OptionFact(one.name, one.type, one.text) for one in data.facts.values()),
        {"on": line.entry or str(under.base.as_of), "options_as_of": str(data.as_of)},
    )


def _answer(name: str, found: Options) -> answers.ScenarioOptions:
    best = found.best
    return answers.ScenarioOptions(
        name,
        _told(found.ordinary),
        tuple(map(_option_told, found.options)),
        answers.BestOptions(best.levers, _told(best.cost), best.saving),
    )


def _option_told(one: Option) -> answers.DutyOption:
    lever = one.lever
    return answers.DutyOption(
        lever.id, lever.title, one.state, None if one.cost is None else _told(one.cost), one.saving, one.saving_if,
        one.missing_facts, one.would_change, one.why, lever.catch, lever.papers, lever.cite, lever.conf,
    )  # fmt: skip


def _told(cost: PlanCost) -> answers.OptionCost:
    day = str(cost.day) if cost.day else ""
    return answers.OptionCost(cost.duty, cost.fees, cost.refunded, cost.drawback, cost.cash, day)


def list_options(
    laws: Laws,
    line: EntryLine,
    facts: Facts,
    *,
    known_on: str | date | None = None,
    before: Options | None = None,
) -> Options:
    """List the levers of a line under a scenario, what each saves alone, and the best set.

    Args:
        laws: laws of the scenario with their weights; amounts are expected values.
        line: the line as entered for consumption on its day.
        facts: facts of the user, as `LeverData.read_facts` reads them.
        known_on: as in `quote_line`.
        before: the same under the law as it is, to say which levers the scenario makes worthless.

    Raises:
        InputError: the line cannot be quoted, or a day of withdrawal comes before its admission.
    """
    data = load_levers()
    pricer = Pricer(laws, line, facts, data, known_on)
    try:
        ordinary = pricer.cost(())
    except LeverClosedError as closed:
        none = tuple(Option(lever, CLOSED, why=str(closed)) for lever in data.levers)
        return Options(PlanCost(), none, BestPlan((), PlanCost(), ZERO))
    known = {one.lever.id: one for one in before.options} if before is not None else {}
    options = tuple(_option(pricer, lever, ordinary, known.get(lever.id)) for lever in data.levers)
    return Options(ordinary.rounded(), options, _best(pricer, ordinary, options))


def _option(pricer: Pricer, lever: Lever, ordinary: PlanCost, before: Option | None) -> Option:
    """Price a lever alone."""
    if not lever.holds_on(pricer.entered):
        return Option(lever, CLOSED, why="It does not hold on the day of entry.")
    missing = lever.missing(pricer.facts)
    if missing:
        return _supposed(pricer, lever, ordinary, missing)
    try:
        cost = pricer.cost((lever,))
    except LeverClosedError as closed:
        return Option(lever, CLOSED, closed.cost and closed.cost.rounded(), why=str(closed))
    except FactNeededError as needed:
        missing = (str(needed),)
        return Option(lever, NEEDS_FACT, missing_facts=missing, why=_lacks(lever, missing))
    except InputError as error:
        return Option(lever, CLOSED, why=str(error))
    saving = cents(ordinary.net - cost.net)
    gains = saving > 0 or (cost.cash or ZERO) > 0
    unused = (*lever.uses, *cost.conditions)
    return Option(
        lever,
        SAVES if gains else NO_GAIN,
        cost.rounded(),
        saving,
        would_change=tuple(dict.fromkeys(name for name in unused if name not in pricer.facts)),
        why=_why(cost, saving, before),
    )


def _supposed(pricer: Pricer, lever: Lever, ordinary: PlanCost, missing: tuple[str, ...]) -> Option:
    """Say which facts a lever lacks, and what it would save if they were as supposed."""
    supposed = pricer.data.supposed(missing)
    if supposed is None:
        return Option(lever, NEEDS_FACT, missing_facts=missing, why=_lacks(lever, missing))
    try:
        cost = pricer.knowing(supposed).cost((lever,))
    except (LeverClosedError, InputError) as error:
        return Option(lever, CLOSED, why=str(error))
    saving = cents(ordinary.net - cost.net)
    if saving <= 0:
        return Option(
            lever, NO_GAIN, saving=cents(ZERO), why="No duty on these goods is less if the fact holds."
        )
    return Option(lever, NEEDS_FACT, saving_if=saving, missing_facts=missing, why=_lacks(lever, missing))


def _lacks(lever: Lever, missing: Sequence[str]) -> str:
    choices = [name for name in missing if name in lever.needs_one]
    single = [name for name in missing if name not in choices]
    parts = [*single, *([f"one of {', '.join(choices)}"] if choices else [])]
    return f"It depends on {' and '.join(parts)}, which is not given."


def _why(cost: PlanCost, saving: Decimal, before: Option | None) -> str:
    """Explain a computed amount: what it leaves out, and that a scenario took it away."""
    parts = []
    if saving < 0:
        parts.append(f"It costs {-saving} more than the ordinary entry.")
    elif not saving and not cost.cash:
        parts.append("It changes nothing on this line.")
    if before is not None and before.saving is not None and before.saving > 0 >= saving:
        parts.append(f"Under the law as it is it saves {before.saving}; this scenario makes it worthless.")
    if cost.excluded:
        parts.append(f"No drawback of {', '.join(cost.excluded)}.")
    if cost.unsourced:
        parts.append(f"Left out, as no rule was read: {', '.join(cost.unsourced)}.")
    return " ".join(parts)


def _best(pricer: Pricer, ordinary: PlanCost, options: Sequence[Option]) -> BestPlan:
    """Find the set of levers, one of a choice, that costs least; of equal ones the one that pays least, then first."""
    choices: dict[str, list[Lever | None]] = {}
    entered_weekly = any(one.lever.with_zone and one.state == SAVES for one in options)
    for one in options:
        if one.state == SAVES or (entered_weekly and one.lever.zone and one.saving is not None):
            choices.setdefault(one.lever.choice, [None]).append(one.lever)
    plans = [tuple(lever for lever in picked if lever is not None) for picked in product(*choices.values())]
    best: tuple[Plan, PlanCost] = ((), ordinary)
    for plan in sorted(plans, key=len):
        if any(lever.with_zone for lever in plan) and not any(lever.zone for lever in plan):
            continue
        try:
            cost = pricer.cost(plan)
        except (LeverClosedError, InputError):
            continue
        if (cost.weighed, cost.paid) < (best[1].weighed, best[1].paid):
            best = plan, cost
    plan, cost = best
    return BestPlan(tuple(lever.id for lever in plan), cost.rounded(), cents(ordinary.net - cost.net))


__all__ = ["Facts", "Option", "Options", "list_options", "options"]
