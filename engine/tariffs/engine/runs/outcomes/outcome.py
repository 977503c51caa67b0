"""Results of the lines of a table under one law, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.lanes.adjustment import DutyStep
from tariffs.engine.response.trade.anticipation import move_purchases
from tariffs.engine.response.trade.responses import PathResponse
from tariffs.engine.response.trade.trade_response import Response, VolumeSolver
from tariffs.engine.response.trade.varieties import TradeVolume, VarietyRates, VarietyVolume
from tariffs.engine.response.trade.world_response import WorldResponse
from tariffs.engine.runs.column_names import AFTER
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.outcomes.duty_sums import GroupedDuties
from tariffs.engine.runs.outcomes.responding_table import RespondingTable
from tariffs.engine.runs.results import line_columns, rent_columns
from tariffs.engine.runs.sums import AfterSums
from tariffs.engine.table_duty.rated_lines import Dated

if TYPE_CHECKING:
    from tariffs.engine.response.limits.quantity_constraints import QuantityConstraints


class Outcome:
    """Results of the lines of a table under one law; arrays per line are computed when they are asked for.

    Attributes:
        weight: weight of the law in a mixture, 1 for a single law.
        responses: sums after the response by grouping that are computed already, and whether they are by authority.
    """

    def __init__(self, run: RespondingTable, law: Law, dated: Dated, weight: float) -> None:
        self._run = run
        self.law = law
        self._dated = dated
        self.weight = weight
        self.duties = run.duties(law, dated)
        self.lines = self.duties.lines
        self.responses: dict[tuple[str, ...], tuple[bool, AfterSums]] = {}
        self._grouped: dict[tuple[str, ...], GroupedDuties] = {}
        self._switched: dict[tuple[tuple[str, str], ...], Outcome] = {}

    def switched(self, settings: Mapping[str, str]) -> Outcome:
        """Results under the same law with other switches; kept with the outcome."""
        key = tuple(sorted(settings.items()))
        if key not in self._switched:
            law = self.law.with_switches(settings)
            self._switched[key] = Outcome(self._run, law, self._dated, self.weight)
        return self._switched[key]

    @cached_property
    def volume(self) -> TradeVolume | None:
        """Trade after the response at the elasticities of the run; None without a response."""
        response = self._run.response
        return None if response is None else self._held()(self._free, response.parameters)

    def solver(self) -> Callable[[ProductParameters], TradeVolume]:
        """Make a function of elasticities that gives trade after the response, limits and moved purchases."""
        solve, held = self._duty_solver(), self._held()
        return lambda parameters: held(solve(parameters), parameters)

    def _held(self) -> Callable[[VarietyVolume, ProductParameters], TradeVolume]:
        """Put limits on quantities and purchases moved in time on trade after duties, and sum it by line."""
        response, rates, factor = self._response, self.variety_rates, self.purchase_factor
        v, limited = response.varieties, None
        if self.constraints:
            # A static run, and most others, have no limits: their solver is not loaded.
            from tariffs.engine.response.limits.limited_response import LimitedResponse

            limited = LimitedResponse(response, rates, self.constraints)

        def held(volume: VarietyVolume, parameters: ProductParameters) -> TradeVolume:
            if limited is not None:
                volume = limited(volume, parameters)
            if factor is not None:
                volume = move_purchases(volume, factor[v.line], v.product)
            return response.to_lines(volume, rates)

        return held

    def _duty_solver(self) -> VolumeSolver:
        return self.responding(self._response).solver(self.variety_rates)

    @cached_property
    def _free(self) -> VarietyVolume:
        """Trade of varieties after the response to duties alone."""
        return self._duty_solver()(self._response.parameters)

    @cached_property
    def purchase_factor(self) -> F64 | None:
        """Factor on the purchases of each line by duties that are expected; None if none are moved.

        Goods under a limit or floor on quantities are bought as it says.
        """
        if self._run.expected is None:
            return None
        factor = self._run.expected.factor(self.law, self._dated)
        if factor is None or self.constraints is None:
            return factor
        return np.where(self.constraints.limited, 1.0, factor)

    @property
    def has_plain_quantities(self) -> bool:
        """True if nothing but duties changes the quantities: no limit, and no purchase moved in time."""
        return self.constraints is None and self.purchase_factor is None

    @property
    def has_limits(self) -> bool:
        """True if results of the run have columns of limits on quantities."""
        return self._run.has_limits

    @cached_property
    def columns(self) -> Mapping[str, F64]:
        """Result columns per line."""
        columns = line_columns(self.lines, self.duties, self._run.base, self.volume)
        if not self.has_limits:
            return columns
        return {**columns, **rent_columns(self.volume.rents if self.volume else None, self.lines.count)}

    @property
    def static_columns(self) -> Mapping[str, F64]:
        """Result columns per line before the response."""
        columns = line_columns(self.lines, self.duties, self._run.base, None)
        return {name: values for name, values in columns.items() if name not in AFTER}

    @property
    def static_notes(self) -> tuple[Note, ...]:
        """Notes on the duties."""
        return (*self.duties.notes, *self._run.rebased_notes(self.law))

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Notes on the duties, the exchange rate and constraints of quantities."""
        response, limits = self._run.response, self.constraints
        if response is None:
            return self.static_notes
        dollar = response.dollar_prices(self.variety_rates)
        static = self.static_notes if dollar is None else (*self.static_notes, dollar.note())
        if limits is None:
            return static
        hat = response.to_lines(self._free, self.variety_rates).quantity_hat
        rents = self.volume.rents if self.volume else None
        return (*static, *limits.notes(hat, rents.premiums if rents else ()))

    def grouped(self, grouping: Grouping) -> GroupedDuties:
        """Sum the duties by group; kept with the outcome."""
        if grouping.id not in self._grouped:
            self._grouped[grouping.id] = GroupedDuties(self.law, self.duties, self._dated, grouping)
        return self._grouped[grouping.id]

    @property
    def _response(self) -> Response:
        if self._run.response is None:
            raise ValueError("a static run has no response")
        return self._run.response

    @cached_property
    def variety_rates(self) -> VarietyRates:
        """Rates of the varieties of the response; raises ValueError without one."""
        return self._response.rates_under(self.duties)

    def responding(self, response: Response) -> Response:
        """Response under the law: to every step of duty before it at `path`, and to what partners charge by it."""
        if isinstance(response, WorldResponse):
            charged = self._run.charged_by_partners(self.law, self._dated)
            return replace(response, charged=charged) if charged else response
        return response if self._steps is None else PathResponse.of(response, self._steps)

    @cached_property
    def _steps(self) -> list[DutyStep] | None:
        return self._run.steps.until(self.law, self._dated) if self._run.steps else None

    @cached_property
    def constraints(self) -> QuantityConstraints | None:
        """Constraints of the law on quantities; None if it has none."""
        return self._run.quantity_constraints(self.law, self._dated)
