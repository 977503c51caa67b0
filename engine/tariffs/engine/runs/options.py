"""Options of a run over a table, and the points it computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import covered_moment, known_on_notes, known_on_text, moment_notes
from tariffs.engine.response.consumer_prices import DECILE
from tariffs.engine.response.elasticities.draws import DEFAULT_SPREADS, GENERATOR, Spreads
from tariffs.engine.response.elasticities.parameters import DEFAULT_HORIZON, ProductParameters
from tariffs.engine.response.elasticities.thetas import LASTING
from tariffs.engine.response.exchange_rate import NO_OFFSET, offset_facts
from tariffs.engine.response.industries import SOURCE
from tariffs.engine.response.inputs import MOST, Range, invalid
from tariffs.engine.response.models.model_facts import INCOME, INCOME_AND_CURRENCY, MODELS
from tariffs.engine.response.sectors.sector_market import PRODUCT, market_elasticities
from tariffs.engine.response.trade.anticipation import storage_facts
from tariffs.engine.response.trade.trade_response import EXACT_HAT, LASTING_MODELS, WORLD
from tariffs.engine.response.world import OneSectorParameters
from tariffs.engine.runs.refusals import refuse, refuse_untaken
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.dates import read_format
from tariffs.run_spec import spec as run_spec
from tariffs.run_spec.option import Kind

_NONE = "none"
DIRECTIONS = run_spec.OPTIONS["direction"].choices


@dataclass(frozen=True)
class Point:
    """Scenario at a date; each point gives one block of results."""

    scenario: Scenario
    on: str


@dataclass(frozen=True)
class Options(run_spec.Budget, run_spec.Results, run_spec.Response, run_spec.LawChoice, run_spec.Goods):
    """Options of a run over a table, with those that its callers do not see.

    Day, parameters and law are those of the points and the law that a run is given. `parameter_set` is a name or the
    path of a file, `spreads` are those of the draws.
    """

    spreads: Spreads = DEFAULT_SPREADS

    def __post_init__(self) -> None:
        # A repeated key groups once.
        object.__setattr__(self, "by", tuple(dict.fromkeys(self.by)))
        if self.retaliation == _NONE:
            object.__setattr__(self, "retaliation", "")
        if self.trend == _NONE:
            object.__setattr__(self, "trend", "")
        if self.response in LASTING_MODELS and self.horizon == DEFAULT_HORIZON:
            # A theta has no age: a run that names no horizon has the only one there is.
            object.__setattr__(self, "horizon", LASTING)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the groups of goods; tenths of households are groups of their own."""
        return tuple(name for name in self.by if name != DECILE)

    @property
    def by_decile(self) -> bool:
        """True if the effect on consumer prices is divided over tenths of households."""
        return DECILE in self.by

    def refuse(self, **facts: object) -> None:
        """Refuse combinations of these options and facts of the run, as `refusals.refuse`."""
        refuse({**vars(self), **facts})

    def refuse_untaken(self, verb: str) -> None:
        """Refuse options that a verb does not take; raises InputError PARAMETER_INVALID."""
        given = ((name, getattr(self, name, one.default)) for name, one in run_spec.OPTIONS.items())
        refuse_untaken(verb, (name for name, value in given if value != run_spec.OPTIONS[name].default))

    def imports(self) -> Options:
        """Options of a run without a response over imports under the same law."""
        return Options(**_values(self, run_spec.LawChoice), response="none")

    def with_iso_days(self, law: Law) -> tuple[Options, tuple[Note, ...]]:
        """Rewrite the days as ISO text, with notes on days written in another format."""
        notes = known_on_notes(law, self.known_on)
        options = replace(
            self,
            known_on=known_on_text(law, self.known_on) if self.known_on else "",
            date_format=read_format(self.date_format),
        )
        if self.ahead:
            # It may come before the law that is covered, whose first duties were expected.
            options = replace(options, ahead=read_day(self.ahead, "ahead"))
        if not self.baseline:
            return options, notes
        moment = covered_moment(law, self.baseline, "baseline", self.goods_market(law))
        return replace(options, baseline=moment.text), (*moment_notes("baseline", moment), *notes)

    def goods_market(self, law: Law) -> str:
        """Market of the goods; raises as `Law.market_of`."""
        return law.market_of(self.direction, self.to)

    def goods_markets(self, law: Law) -> tuple[str, ...]:
        """Markets whose embedded goods a run without a table covers, that of `goods_market` first."""
        first = self.goods_market(law)
        others = () if self.to or first == IMPORT else (one for one in law.markets if one != first)
        return (first, *others)

    def goods_facts(self, markets: Sequence[str]) -> dict[str, object]:
        """Describe the direction of the goods, and their destinations, for the provenance."""
        facts: dict[str, object] = {"direction": self.direction}
        return facts if self.direction == IMPORT else facts | {"to": ", ".join(markets)}

    def model_facts(self, parameters: ProductParameters | None) -> dict[str, object]:
        """Describe the response model and its limits for the provenance; `none` without parameters."""
        model = MODELS[self.response if parameters else "none"]
        facts: dict[str, object] = {"title": model.title, "form": model.form, "ignores": list(model.ignores)}
        if not parameters:
            return facts
        facts |= {"horizon": self.horizon, "set": parameters.set}
        answered = {}
        if self.market != PRODUCT:
            answered["other products"] = "other sectors"
            found = market_elasticities().items()
            elasticities = {name: {"value": value, "source": source} for name, (value, source) in found}
            title = f"{model.title}, under sectors of products and domestic goods"
            facts |= {"title": title, "market": self.market}
            facts |= {"elasticities": elasticities, "domestic_goods": SOURCE}
        if self.response == EXACT_HAT:
            facts |= {"thetas": list(parameters.sources), "domestic_goods": SOURCE}
        if self.response == WORLD:
            own = {**asdict(OneSectorParameters()), "retaliation": self.retaliation or _NONE}
            facts |= {"thetas": list(parameters.sources), "world": own}
        if self.fx_offset != NO_OFFSET:
            answered[INCOME_AND_CURRENCY] = INCOME
            facts |= offset_facts(self.fx_offset)
        return facts | {"ignores": [answered.get(effect, effect) for effect in model.ignores]}

    def ahead_facts(self) -> dict[str, object]:
        """Describe the day from which duties are expected for the provenance; empty without one."""
        return {"ahead": {"from": self.ahead, **storage_facts()}} if self.ahead else {}

    def draw_facts(self) -> dict[str, object] | str:
        """Describe the draws for the provenance; empty without draws."""
        if not self.draws:
            return ""
        spreads = asdict(self.spreads)
        return {"count": self.draws, "seed": self.seed, "generator": GENERATOR, "spreads": spreads}


def _values(options: Options, *groups: type[Any]) -> dict[str, Any]:
    return {one.name: getattr(options, one.name) for group in groups for one in fields(group)}


def read_day(text: str, name: str) -> str:
    """Read an ISO day as text; raises InputError ENTRY_DATE_INVALID."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        fix = "Write it as 2025-01-31."
        raise InputError("ENTRY_DATE_INVALID", f"{text!r} is not a day.", field=name, fix=fix) from error


def law_with_options(law: Law, options: Options) -> Law:
    """Apply the switches and the minimum confidence of the options to a law.

    Raises:
        InputError: PARAMETER_INVALID for an unknown response or horizon, REQUEST_INVALID for a direction.
        LawError: SWITCH_UNKNOWN.
    """
    for one in run_spec.OPTIONS.values():
        value = getattr(options, one.name, one.default)
        if one.kind is Kind.CHOICE and value not in (one.default, *one.choices):
            fix = f"Use one of: {', '.join(one.choices)}."
            raise InputError(one.reason, f"{one.name} is {value!r}.", field=one.name, fix=fix)
        bounds = Range(max(one.low, -MOST), min(one.high, MOST))
        if one.kind is Kind.NUMBER and bounds.broken(np.array([value]))[0]:
            title = one.title[0].lower() + one.title[1:]
            raise invalid(one.name, f"the {title} is {value:g}.", fix=f"It must be {bounds}.")
    answers = run_spec.OPTIONS["retaliation"].choices
    if options.retaliation not in ("", *answers):
        why = f"answers of partners in a run are {', '.join(answers)}, not {options.retaliation}."
        raise invalid("retaliation", why, fix="Use one of them.")
    options.refuse()
    law = law.with_switches(options.switches)
    return law.with_min_conf(options.min_confidence) if options.min_confidence else law
