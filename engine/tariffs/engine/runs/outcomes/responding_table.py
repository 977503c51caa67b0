"""Put a response over a table: its elasticities, its steps of duty, and the purchases that buyers move in time."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tariffs.engine.law.law import Law
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.elasticities.parameters import (
    IMPACT,
    PATH,
    SETS,
    SHORT,
    ProductParameters,
    parameters_for,
)
from tariffs.engine.response.elasticities.thetas import THETAS, theta_parameters_for
from tariffs.engine.response.models.model_facts import MODELS
from tariffs.engine.response.trade.responses import respond
from tariffs.engine.response.trade.trade_response import (
    ARMINGTON,
    EXACT_HAT,
    LASTING_MODELS,
    WORLD,
    Response,
)
from tariffs.engine.response.trade.world_response import SET as WORLD_SET
from tariffs.engine.response.trade.world_response import world_parameters
from tariffs.engine.response.world.retaliation import BY_LAW
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.duty_steps import DutySteps, ExpectedDuties
from tariffs.engine.runs.outcomes.rated_table import RatedTable, RunContext
from tariffs.engine.scenario import Scenario, components, library, lineage
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.tables.prepare import PreparedTable, Table

if TYPE_CHECKING:
    from tariffs.engine.response.limits.quantity_constraints import QuantityConstraints

SHOCK = "shock_quantity"
"""The change of a scenario that limits quantities."""


class RespondingTable(RatedTable):
    """Rated table that responds to laws from its baseline, if the options of the run ask for it.

    All laws respond from values v0 and rates t0 of the law at the table's baseline instant; t1 is the assessed rate
    under the law in question. Arguments and attributes as `RatedTable`.

    Args:
        scenarios: those of the run; results have columns of limits on quantities if one of them has limits.

    Attributes:
        response, parameters: None in a static run.
        steps: steps of duty at the horizon `path`.
        expected: purchases that are moved in time, None if none are.
        grouping: groups of the results, by the keys of the options.

    Raises:
        InputError: BASELINE_REQUIRED, GROUP_UNKNOWN, PARAMETER_INVALID, or a fault of the table as a whole.
    """

    def __init__(
        self,
        table: Table,
        law: Law,
        options: Options,
        context: RunContext,
        scenarios: Sequence[Scenario] = (),
    ) -> None:
        super().__init__(table, law, options, context)
        options, self.has_limits = self.options, False
        mixed = any(one.mixture for one in scenarios)
        options.refuse(own_table=not self.prepared.baseline, mixture=mixed)
        self.response: Response | None = None
        self.parameters: ProductParameters | None = None
        self.steps: DutySteps | None = None
        self.expected: ExpectedDuties | None = None
        if self.base is not None and options.response != "none":
            self.has_limits = has_limits(self.law, scenarios)
            self.parameters = product_parameters(self.prepared, options)
            prohibition = prohibition_parameters(self.prepared, options)
            offset, answer = options.fx_offset, options.retaliation
            models = options.response, self.parameters, options.market, offset, prohibition, answer
            self.response = respond(self.prepared, self.law, self.base, *models)
            # What is kept here refers to this weakly, or the table would stay in memory until the collector ran.
            this = weakref.proxy(self)
            self.steps = DutySteps(this, self.response) if options.horizon == PATH else None
            self.expected = ExpectedDuties(this, options.ahead) if options.ahead else None
        self.grouping = Grouping.of(self.prepared, options.keys)

    @property
    def clocks(self) -> tuple[str, ...]:
        """Markets whose law decides results: those of the goods, and partners that answer by theirs."""
        partners = self.law.markets if self.options.retaliation == BY_LAW else ()
        return tuple(dict.fromkeys((*self.prepared.markets, *partners)))

    def law_fingerprint(self, law: Law, dated: Dated) -> Hashable:
        """Compute a value that is equal for laws and instants with the same duties and response on all lines."""
        return super().law_fingerprint(law, dated), self.charged_by_partners(law, dated)

    def charged_by_partners(self, law: Law, dated: Dated) -> tuple[float, ...]:
        """Change of the duty that each country of the world charges on our exports; empty if none answers by law."""
        return ()

    def quantity_constraints(self, law: Law, dated: Dated) -> QuantityConstraints | None:
        """Find the constraints of a law on the quantities of the response; None if there are none."""
        if self.response is None:
            return None
        from tariffs.engine.response.limits.quantity_constraints import QuantityConstraints

        return QuantityConstraints.of(law, dated, self.prepared)


def has_limits(law: Law, scenarios: Sequence[Scenario]) -> bool:
    """Test whether some scenario, or the law before them, has limits or floors on quantities on any day."""
    if law.constraints or law.assumptions.quantities:
        return True
    parts = [part for scenario in scenarios for _, part in components(scenario)]
    return any(
        step.assumptions.quantities or any(change.op == SHOCK for change in step.changes)
        for part in parts
        for step in lineage(part, library())
    )


def product_parameters(prepared: PreparedTable, options: Options) -> ProductParameters:
    """Look up the elasticities of the products; those of no user's file are kept with the table."""
    kept: dict[tuple[str, ...], ProductParameters] = prepared.lines.cache.setdefault("parameters", {})
    name = options.parameter_set or MODELS[options.response].set
    key = (options.response if options.response in LASTING_MODELS else "", options.horizon, name)
    if key in kept:
        return kept[key]
    found = _looked_up(prepared, options, name or None)
    if name in {"", THETAS, WORLD_SET, *SETS}:
        kept[key] = found
    return found


def prohibition_parameters(prepared: PreparedTable, options: Options) -> ProductParameters | None:
    """Look up the least elasticities under a prohibition where those of the horizon are lower; None at other horizons.

    Goods that are not to be had are replaced at once: the low elasticities of the first months are of dearer goods.
    """
    if options.horizon != IMPACT or options.response != ARMINGTON:
        return None
    return product_parameters(prepared, replace(options, horizon=SHORT))


def _looked_up(prepared: PreparedTable, options: Options, name: str | None) -> ProductParameters:
    products, importers = prepared.products, prepared.market_of_product
    if options.response == WORLD:
        return world_parameters(products)
    if options.response == EXACT_HAT:
        return theta_parameters_for(products, set=None if name == THETAS else name)
    if options.horizon == PATH:
        return path_parameters_for(products, set=name, importers=importers)
    return parameters_for(products, horizon=options.horizon, set=name, importers=importers)
