"""Respond to all changes of duty since the baseline, each at its own age. See docs/models/adjustment.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.lanes.adjustment import (
    DutyPath,
    DutyStep,
    RateMoves,
    mean_age,
    mean_weights,
    passthrough_steps,
)
from tariffs.engine.response.trade.trade_response import ARMINGTON, Response, VolumeSolver
from tariffs.engine.response.trade.variety_rates import VarietyRates
from tariffs.engine.response.trade.volumes import VarietyVolume


@dataclass(frozen=True)
class PathResponse(Response):
    """Response to steps of duty; its parameters are those of every age.

    Armington and passthrough compose the steps. SMART and GSIM are linear and take the whole change of duty at once, at
    the mean age of the changes of each product. So does a market of sectors, at the mean age of all changes: it links
    products, so that steps of single products cannot be composed.
    """

    parameters: PathParameters
    steps: tuple[DutyStep, ...] = ()

    @classmethod
    def of(cls, response: Response, steps: Sequence[DutyStep]) -> PathResponse:
        """Put steps under a response whose parameters are those of every age."""
        own = {field.name: getattr(response, field.name) for field in fields(Response)}
        return cls(**own, steps=tuple(steps))

    def path_to(self, rate: F64) -> DutyPath:
        """Steps of duty, or under a market of sectors the whole change of duty, and their elasticities."""
        if self.market is None:
            return DutyPath.aged(self.steps, self.parameters.profile)
        whole = np.zeros(self.varieties.count, dtype=np.int64)
        weights = self._mean_weights(whole, 1)[None, :, :, 0]
        return replace(DutyPath.at_once(self.base_rate, rate), weights=weights)

    def with_last_step(self, before: F64, after: F64) -> PathResponse:
        """Add a change of all rates as one step, at the mean age of the changes of duty."""
        step = DutyStep(mean_age(self.trade, self.steps), RateMoves.between(before, after))
        return replace(self, steps=(*self.steps, step))

    def duty_solver(self, rate: F64, rates: VarietyRates) -> VolumeSolver:
        """Make the solver of the model for the rate that varieties respond to."""
        if self.model == "passthrough":
            return self._passthrough
        solve = super().duty_solver(rate, rates)
        if self.model == ARMINGTON:
            return solve
        weights = self._mean_weights(self.varieties.product, len(self.parameters.sigma))

        def run(p: Any) -> VarietyVolume:
            return solve(p.with_weights(weights))

        return run

    def _mean_weights(self, group: I64, groups: int) -> F64:
        """Compute the weights of groups of varieties at their mean age; draws have the profile of the response."""
        return mean_weights(self.trade, self.steps, self.parameters.profile, group, groups)

    def _passthrough(self, parameters: Any) -> VarietyVolume:
        value, hat, surplus, welfare = passthrough_steps(self.trade, self.steps, parameters)
        change = self.varieties.value * (hat - 1.0)
        return VarietyVolume(value, hat, change, np.zeros(len(hat)), surplus, welfare)
