"""Run scenarios on both sides: imports, and exports in the markets they go to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tariffs.client._wire.frames import Table
from tariffs.client._wire.requests import Day, ScenarioLike
from tariffs.client.results.both_sides import BothSides
from tariffs.client.results.impact import ImpactResult, TimelineResult

_OF_IMPORTS = frozenset({"consumer_prices", "fx_offset", "market"})


class BothSideCalls:
    """Calls of the client that run the same scenarios on imports and on exports."""

    impact: Callable[..., ImpactResult]
    timeline: Callable[..., TimelineResult]

    def impact_both(
        self,
        lines: Table | None = None,
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        exports: Table | None = None,
        by: Sequence[str] = ("origin",),
        exports_by: Sequence[str] = ("destination",),
        to: str = "",
        reaction: float = 0.0,
        **options: Any,
    ) -> BothSides[ImpactResult]:
        """Compute the effect of scenarios on imports and on exports.

        Args:
            lines: table of imports; None is the embedded one.
            scenarios: as in `impact`.
            exports: table of exports; None is the embedded one.
            by: keys of the groups of imports.
            exports_by: keys of the groups of exports.
            to: ISO code of the destination of exports; empty is every one that the law and the table have.
            reaction: slope of the answers on exports to duties on the imports of the embedded table; as in `impact`.
            **options: the other options of `impact`, for both sides; `baseline` and `parameter_set` among them.

        Raises:
            TariffsError: as `impact`.
        """
        abroad = _of_exports(options)
        return BothSides(
            self.impact(lines, scenarios, by=by, **options),
            self.impact(
                exports, scenarios, by=exports_by, direction="export", to=to, reaction=reaction, **abroad
            ),
        )

    def timeline_both(
        self,
        lines: Table | None = None,
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        start: Day,
        end: Day,
        exports: Table | None = None,
        by: Sequence[str] = ("origin",),
        exports_by: Sequence[str] = ("destination",),
        to: str = "",
        **options: Any,
    ) -> BothSides[TimelineResult]:
        """Compute the effect of scenarios on imports and on exports for every day of a period.

        Days are local time of each market. Arguments and errors are those of `impact_both` and `timeline`.
        """
        period = {"start": start, "end": end, **options}
        return BothSides(
            self.timeline(lines, scenarios, by=by, **period),
            self.timeline(
                exports, scenarios, by=exports_by, direction="export", to=to, **_of_exports(period)
            ),
        )


def _of_exports(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the run over exports; prices of consumption and sectors are those of the United States."""
    return {name: value for name, value in options.items() if name not in _OF_IMPORTS}
