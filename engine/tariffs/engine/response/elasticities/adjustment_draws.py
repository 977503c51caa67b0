"""Draw elasticities at every age of a change of duty. See docs/models/uncertainty.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.elasticities.draws import (
    DrawnDeviations,
    DrawnParameters,
    Draws,
    drawn_parameters,
)
from tariffs.engine.response.inputs import Floats, Ints


@dataclass(frozen=True, slots=True)
class DrawnPaths:
    """Draws of the horizons of an adjustment path: a draw moves all three in the same direction.

    Attributes:
        central: the central parameters.
        stages: the draws of impact, short and long, from the same points.
    """

    central: PathParameters
    stages: tuple[DrawnParameters, DrawnParameters, DrawnParameters]

    @classmethod
    def of(cls, central: PathParameters, codes: Sequence[str], draws: Draws) -> DrawnPaths:
        """Prepare the draws of products; arguments as for `drawn_parameters`."""
        impact, short, long = (drawn_parameters(each, codes, draws) for each in central.stages)
        return cls(central, (impact, short, long))

    @property
    def names(self) -> tuple[str, ...]:
        """Global dimensions, as in `DrawnParameters`."""
        return self.stages[0].names

    @property
    def uniforms(self) -> Floats:
        """Points of the global dimensions (draws, dimensions)."""
        return self.stages[0].uniforms

    @property
    def section(self) -> Ints:
        """Section of each product, an index."""
        return self.stages[0].section

    @property
    def claims(self) -> Floats:
        """Draws of claims, as in `DrawnParameters`."""
        return self.stages[0].claims

    def draw(self, index: int) -> PathParameters:
        """Compute the parameters of one draw, from 0."""
        return self._at(self.stages[0].deviations(index))

    def moved(self, dimension: int, quantile: float) -> PathParameters:
        """Move one global dimension of the central parameters to a quantile of its distribution."""
        return self._at(self.stages[0].moved_deviations(dimension, quantile))

    def _at(self, deviations: DrawnDeviations) -> PathParameters:
        impact, short, long = (each.at(deviations) for each in self.stages)
        return PathParameters.of((impact, short, long), self.central.profile)
