"""Draw the elasticities of a run: sums of every draw of a point, by group and in total.

Each draw is a whole run of the response on the lines, of which only the sums by group are kept: memory is that of one
run and the sums of all draws. See docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sum_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.base.stages import stage
from tariffs.engine.base.workspace import Workspace
from tariffs.engine.errors import InputError
from tariffs.engine.response.elasticities.adjustment_draws import DrawnPaths
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.elasticities.draws import DrawnParameters, Draws, drawn_parameters
from tariffs.engine.response.sectors.sector_market import SECTOR
from tariffs.engine.response.trade.trade_response import Response
from tariffs.engine.runs.column_names import BASELINE_DUTY, DOMESTIC_SUMS, LIMIT_SUMS, RESPONSE_SUMS
from tariffs.engine.runs.draws.drawn_claims import DrawnClaims, DrawnOutcome
from tariffs.engine.runs.draws.ranges import DrawnPoint, MovedTotal
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import ChargedDuties, Sums

_LOW, _HIGH = 0.1, 0.9
_BATCHES = 6
"""Batches of draws of each thread between two reports."""
CLAIMS = "usmca claims"
"""Name of the period of USMCA claim shares in a tornado."""
MOST_SUMS = 2**26
"""Most numbers in the sums of all draws of one point: half a gigabyte."""


ReportShare = Callable[[float], None]
"""Progress callback: takes the share of the draws that is done."""


@dataclass(frozen=True)
class _DrawBatch:
    """Draws that are computed together, by index, and the sums of their outcome."""

    sums: ResponseSums
    draws: I64


class UncertaintyRun:
    """Draws of the elasticities over one table and its response.

    Args:
        table_run: the table.
        response: its response, with the central parameters.
        draws: number, seed and spreads of the draws.

    Raises:
        InputError: PARAMETER_INVALID if there are too many groups for that many draws.
    """

    @classmethod
    def of(cls, table_run: TableRun) -> UncertaintyRun | None:
        """Make the draws that the options of a run ask for; None if they ask for none.

        Raises:
            InputError: PARAMETER_INVALID, as for `Draws`.
        """
        options = table_run.options
        if not options.draws:
            return None
        draws = Draws(options.draws, options.seed, options.spreads)
        assert table_run.response is not None
        return cls(table_run, table_run.response, draws)

    def __init__(self, table_run: TableRun, response: Response, draws: Draws) -> None:
        grouping = self._grouping = table_run.grouping
        self._names = _names_of(table_run)
        _check(grouping.count, len(self._names), draws)
        constant = {"customs_value": grouping.sums([table_run.prepared.lines.value], table_run.usable)[:, 0]}
        if table_run.has_incidence:
            constant[BASELINE_DUTY] = table_run.baseline_duty
        self._constant = constant
        self._prepared = table_run.prepared
        self._response = response
        self._context = table_run.context
        self._sums: dict[Outcome, ResponseSums] = {}
        self._workspace = Workspace()
        self.draws = draws
        central, products = response.parameters, self._prepared.products
        self.parameters: DrawnParameters | DrawnPaths = (
            DrawnPaths.of(central, products, draws)
            if isinstance(central, PathParameters)
            else drawn_parameters(central, products, draws)
        )
        self._claims = DrawnClaims.of(table_run, self.parameters.claims, draws.spreads.claims)

    @stage("draw")
    def sums(self, outcomes: Sequence[Outcome], keep: Bools, report: ReportShare) -> Sums:
        """Sum every draw by group; sums of a mixture are weighted.

        Args:
            outcomes: the lines under the law of the point, or under each law of a mixture.
            keep: the usable lines.
            report: called at the start and now and then with the share of the draws that is done.
        """
        report(0.0)
        self._sums.clear()
        parts = [self._claims.of_outcome(outcome) for outcome in outcomes]
        charged = [part.outcome for of_outcome in parts for part in of_outcome]
        authorities = _charging(charged) if self._grouping.by_authority else ()
        _check(self._grouping.count, max(len(self._names), len(authorities)), self.draws)
        count, shape = self.draws.count, (self.draws.count, self._grouping.count)
        groups = {name: np.zeros(shape) for name in self._names}
        total = {name: np.zeros(count) for name in self._names}
        duty_after = np.zeros((*shape, len(authorities)))
        for done, (outcome, of_outcome) in enumerate(zip(outcomes, parts, strict=True)):

            def draw(batch: _DrawBatch, weight: float = outcome.weight) -> None:
                some = batch.draws
                sums = batch.sums([self.parameters.draw(index) for index in some])
                for name in self._names:
                    groups[name][some] += weight * sums.groups[name]
                    total[name][some] += weight * sums.total[name]
                duty_after[some] += weight * sums.duty_after.reshape(len(some), *duty_after.shape[1:])

            def report_part(drawn: int, done: int = done) -> None:
                report((done + drawn / count) / len(outcomes))

            self._each(self._batches(of_outcome, keep, authorities), draw, report_part)
        groups |= {name: np.broadcast_to(values, shape) for name, values in self._constant.items()}
        total |= {name: np.full(count, values.sum()) for name, values in self._constant.items()}
        return Sums(self._grouping.keys, groups, total, self._charged(authorities, duty_after))

    def _charged(self, authorities: Sequence[str], duty_after: F64) -> ChargedDuties | None:
        """Place the duty of draws (draws, groups, authorities) by authority and group."""
        if not self._grouping.by_authority:
            return None
        authority, group = np.indices((len(authorities), self._grouping.count)).reshape(2, -1)
        duty = np.moveaxis(duty_after, 2, 1).reshape(len(duty_after), -1)
        return ChargedDuties(tuple(authorities), authority, group, {"duty_after": duty})

    def point(self, outcomes: Sequence[Outcome], keep: Bools, report: ReportShare) -> DrawnPoint:
        """Draw one point; arguments as for `sums`."""
        sums = self.sums(outcomes, keep, report)
        moved = self._moved_totals(outcomes, keep)
        central = [
            (outcome.weight, self._outcome_sums(outcome, keep, ())([self.parameters.central]).total)
            for outcome in outcomes
        ]
        return DrawnPoint(sums, tuple(moved), self._total(central))

    def _total(self, parts: Sequence[tuple[float, Mapping[str, F64]]]) -> Mapping[str, F64]:
        """Weight the sums of totals after the response, with those that no draw moves."""
        found = {name: sum_of([(weight, total[name]) for weight, total in parts]) for name in self._names}
        constant = self._constant.items()
        return found | {name: np.full(len(found["quantity"]), values.sum()) for name, values in constant}

    def _outcome_sums(self, outcome: Outcome, keep: Bools, authorities: Sequence[str]) -> ResponseSums:
        """Prepare the sums of an outcome; those of the draws of a point serve its tornado too."""
        if outcome not in self._sums:
            args = (self._prepared, self._grouping, self._response, outcome, keep, authorities)
            self._sums[outcome] = ResponseSums(*args, room=self._workspace)
        return self._sums[outcome]

    def _batches(
        self, parts: Sequence[DrawnOutcome], keep: Bools, authorities: Sequence[str]
    ) -> Iterator[_DrawBatch]:
        """Prepare outcomes one by one, each with its draws, some at once."""
        for part in parts:
            sums = self._outcome_sums(part.outcome, keep, authorities)
            for first in range(0, len(part.draws), sums.at_once):
                yield _DrawBatch(sums, part.draws[first : first + sums.at_once])

    def _each(
        self, batches: Iterable[_DrawBatch], work: Callable[[_DrawBatch], None], report: Callable[[int], None]
    ) -> None:
        """Call `work` for all batches on several threads, while the next outcome is prepared on this one.

        Every draw of the batches has its own slots, so threads change no bit. What has ended is reported while outcomes
        are prepared too.
        """
        threads, drawn = thread_count(), 0
        running: deque[tuple[Future[None], int]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            try:
                for batch in batches:
                    self._context.check()
                    running.append((pool.submit(work, batch), len(batch.draws)))
                    if ended := _take_ended(running):
                        drawn += ended
                        report(drawn)
                for place in range(len(running), 0, -1):
                    task, size = running.popleft()
                    task.result()
                    drawn += size
                    if place % (_BATCHES * threads) == 1:
                        self._context.check()
                        report(drawn)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _moved_totals(self, outcomes: Sequence[Outcome], keep: Bools) -> list[MovedTotal]:
        """Sum the total at both ends of each parameter that is drawn in common, and under other claim shares."""
        p, dimensions = self.parameters, self._dimensions()
        parameters = [p.moved(dimension, end) for dimension in dimensions for end in (_LOW, _HIGH)]
        ends = {name: np.zeros(2 * len(dimensions)) for name in self._names}
        claims = []
        for outcome in outcomes:

            def end(batch: _DrawBatch, weight: float = outcome.weight) -> None:
                moved = batch.sums([parameters[one] for one in batch.draws])
                for name in self._names:
                    ends[name][batch.draws] += weight * moved.total[name]

            every = DrawnOutcome(outcome, np.arange(len(parameters)))
            self._each(self._batches([every], keep, ()), end, lambda drawn: None)
            if self._claims.periods:
                of_ends = [
                    self._outcome_sums(each, keep, ())([p.central]).total
                    for each in (self._claims.farthest(outcome), outcome)
                ]
                both = {name: np.concatenate([total[name] for total in of_ends]) for name in self._names}
                claims.append((outcome.weight, both))
        moved = [
            MovedTotal(
                p.names[dimension],
                self._total([(1.0, {name: own[2 * place : 2 * place + 2] for name, own in ends.items()})]),
                p.uniforms[:, dimension],
            )
            for place, dimension in enumerate(dimensions)
        ]
        return [*moved, *([MovedTotal(CLAIMS, self._total(claims), p.claims)] if claims else [])]

    def _dimensions(self) -> list[int]:
        """List the global dimensions that some product of the table has."""
        shared = self.parameters.names.index("supply") + 1
        return [*range(shared), *(shared + int(place) for place in np.unique(self.parameters.section))]


def _take_ended(running: deque[tuple[Future[None], int]]) -> int:
    """Take the tasks at the left that have ended off, and count their draws; raise what one of them raised."""
    drawn = 0
    while running and running[0][0].done():
        task, size = running.popleft()
        task.result()
        drawn += size
    return drawn


def _names_of(run: TableRun) -> tuple[str, ...]:
    """List the names of the sums that each draw of a run has."""
    limits = LIMIT_SUMS if run.has_limits else ()
    return (*RESPONSE_SUMS, *limits, *(DOMESTIC_SUMS if run.options.market == SECTOR else ()))


def _charging(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """List the authorities under which some line is charged, sorted."""
    charged = (
        {name for index, name in enumerate(x.duties.authorities) if x.duties.by_authority[:, index].any()}
        for x in outcomes
    )
    return tuple(sorted(set().union(*charged)))


def _check(groups: int, sums: int, draws: Draws) -> None:
    """Refuse draws of which each has so many sums by group that they exceed the memory limit in all."""
    if draws.count * groups * sums > MOST_SUMS:
        most = MOST_SUMS // (draws.count * sums)
        raise InputError(
            "PARAMETER_INVALID", f"{draws.count:,} draws of {groups:,} groups do not fit.",
            field="draws",
            fix=f"With that many draws there may be {most:,} groups: take fewer draws or coarser keys.",
        )  # fmt: skip
