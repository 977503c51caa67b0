"""Run scenarios on both sides: imports, and exports in the markets they go to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Unpack

from tariffs.client._wire.frames import Table
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client.results.both_sides import BothSides
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.run_spec.option import Day
from tariffs.run_spec.spec import OPTIONS
from tariffs.run_spec.typed import RunOptions, TimelineOptions

_OF_IMPORTS, _OF_EXPORTS = (
    {one.name for one in OPTIONS.values() if one.side == side} for side in ("import", "export")
)


class BothSideCalls:
    """Calls of the client that run the same scenarios on imports and on exports."""

    impact: Callable[..., ImpactResult]
    timeline: Callable[..., TimelineResult]

    def impact_both(
        self,
        lines: Table | None = None,
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        on: Day | None = None,
        exports: Table | None = None,
        by: Sequence[str] = ("origin",),
        exports_by: Sequence[str] = ("destination",),
        **options: Unpack[RunOptions],
    ) -> BothSides[ImpactResult]:
        """Compute the effect of scenarios on imports and on exports.

        Args:
            lines: table of imports; None is the embedded one.
            scenarios: as in `impact`.
            on: day of the law; by default the law's as-of day.
            exports: table of exports; None is the embedded one.
            by: keys of the groups of imports.
            exports_by: keys of the groups of exports.
            **options: the other options, listed by `help(tariffs.client.RunOptions)`: `to` and `reaction` are of
                exports, prices of consumption, sectors and the dollar of imports, the others of both.

        Raises:
            TariffsError: as `impact`.
        """
        return BothSides(
            self.impact(lines, scenarios, on=on, by=by, **_without(options, _OF_EXPORTS)),
            self.impact(exports, scenarios, on=on, by=exports_by, **_of_exports(options)),
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
        **options: Unpack[TimelineOptions],
    ) -> BothSides[TimelineResult]:
        """Compute the effect of scenarios on imports and on exports for every day of a period.

        Days are local time of each market. Arguments and errors are those of `impact_both` and `timeline`.
        """
        days = {"start": start, "end": end}
        return BothSides(
            self.timeline(lines, scenarios, by=by, **days, **_without(options, _OF_EXPORTS)),
            self.timeline(exports, scenarios, by=exports_by, **days, **_of_exports(options)),
        )


def _of_exports(options: Mapping[str, object]) -> dict[str, Any]:
    """Options of the run over exports; prices of consumption and sectors are those of the United States."""
    return {**_without(options, _OF_IMPORTS), "direction": "export"}


def _without(options: Mapping[str, object], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}
