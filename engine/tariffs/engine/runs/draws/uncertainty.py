"""Draw the elasticities of a run: sums of every draw of a point, by group and in total.

Each draw is a whole run of the response on the lines, of which only the sums by group are kept: memory is that of one
run and the sums of all draws.

Claim shares of lines that declare none are drawn beside them, a convention: the shares of 2024, 2025 and the second
half of 2025 move the mean rate by more than any elasticity. Most draws take the shares that the law selects, the others
one of the alternatives. Shares that respond are drawn by the cost of compliance. See docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.base.stages import stage
from tariffs.engine.base.workspace import Workspace
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import CLAIM_COST, Law
from tariffs.engine.response.elasticities.draws import Draws, drawn_parameters
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.sectors.sector_market import SECTOR
from tariffs.engine.runs.column_names import BASELINE_DUTY, DOMESTIC_SUMS, LIMIT_SUMS, RESPONSE_SUMS
from tariffs.engine.runs.draws.ranges import DrawnPoint, MovedParameter
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import ChargedDuties, Sums
from tariffs.engine.tables.default_shares import RESPONDING, USMCA_SWITCH, is_responding

_LOW, _HIGH = 0.1, 0.9
_BATCHES = 6
"""Batches of draws of each thread between two reports."""
Settings = Mapping[str, str]
_COSTS = ("low", "central", "high")
"""Costs of compliance, each of which an equal part of the draws takes."""
CLAIMS = "usmca claims"
"""Name of the period of USMCA claim shares in a tornado."""
MOST_SUMS = 2**26
"""Most numbers in the sums of all draws of one point: half a gigabyte."""


ReportShare = Callable[[float], None]
"""Progress callback: takes the share of the draws that is done."""


class _DrawnLanes(NamedTuple):
    """Lanes that are computed together, ascending, and the sums of their outcome."""

    sums: ResponseSums
    lanes: I64


class UncertaintyRun:
    """Draws of the elasticities over one table and its response, as the options of the run ask for.

    Raises:
        InputError: PARAMETER_INVALID as for `Draws`, or if there are too many groups for that many draws.
    """

    def __init__(self, table_run: TableRun) -> None:
        options, response = table_run.options, table_run.response
        assert response is not None
        draws = Draws(options.draws, options.seed, options.spreads)
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
        self._workspace = Workspace()
        self.draws = draws
        self.parameters = drawn_parameters(response.parameters, self._prepared.products, draws)
        # Conventions are drawn for a table of which some line takes a default share.
        drawn = draws.spreads.claims > 0.0 and USMCA_SWITCH in table_run.basis_switches()
        values = table_run.law.choices.switches[USMCA_SWITCH].values if drawn else ()
        self._periods = [value for value in values if value != RESPONDING]
        self._moved = self._moved_parameters()

    def _moved_parameters(self) -> tuple[MovedParameter, ...]:
        """List the parameters that are drawn in common, those of all sections, and claims."""
        p = self.parameters
        shared = p.names.index("supply") + 1
        known = {*p.names[:shared], *np.array(p.names)[shared + np.unique(p.section)]}
        drawn = zip(p.names, p.uniforms.T, strict=True)
        own = (MovedParameter(name, uniforms, name in known) for name, uniforms in drawn)
        return (*own, MovedParameter(CLAIMS, p.claims, bool(self._periods)))

    @stage("draw")
    def point(self, outcomes: Sequence[Outcome], keep: Bools, report: ReportShare) -> DrawnPoint:
        """Sum every draw of one point by group, and the total at both ends of each parameter; mixtures are weighted.

        `keep` marks the usable lines; `report` is called at the start and now and then with the share that is done.
        """
        report(0.0)
        parts = [self._lanes_of(outcome) for outcome in outcomes]
        charged = [drawn for of_outcome in parts for drawn, _ in of_outcome]
        authorities = _charging(charged) if self._grouping.by_authority else ()
        _check(self._grouping.count, max(len(self._names), len(authorities)), self.draws)
        count, lanes = self.draws.count, self.draws.count + 2 * len(self._moved)
        shape = count, self._grouping.count
        groups = {name: np.zeros(shape) for name in self._names}
        total = {name: np.zeros(lanes) for name in self._names}
        duty_after = np.zeros((*shape, len(authorities)))
        for done, (outcome, of_outcome) in enumerate(zip(outcomes, parts, strict=True)):

            def draw(batch: _DrawnLanes, weight: float = outcome.weight) -> None:
                some = batch.lanes[batch.lanes < count]
                sums = batch.sums([self._parameters_of(lane) for lane in batch.lanes.tolist()])
                for name in self._names:
                    groups[name][some] += weight * sums.groups[name][: len(some)]
                    total[name][batch.lanes] += weight * sums.total[name]
                duty = sums.duty_after[: len(some)].reshape(len(some), *duty_after.shape[1:])
                duty_after[some] += weight * duty

            def report_part(drawn: int, done: int = done) -> None:
                report((done + drawn / lanes) / len(outcomes))

            self._each(self._batches(of_outcome, keep, authorities), draw, report_part)
        groups |= {name: np.broadcast_to(values, shape) for name, values in self._constant.items()}
        total |= {name: np.full(lanes, values.sum()) for name, values in self._constant.items()}
        sums = Sums(
            self._grouping.keys,
            groups,
            {name: values[:count] for name, values in total.items()},
            self._charged(authorities, duty_after),
        )
        ends = {name: values[count:].reshape(-1, 2) for name, values in total.items()}
        return DrawnPoint(sums, ends, self._moved)

    def _lanes_of(self, outcome: Outcome) -> list[tuple[Outcome, I64]]:
        """Split the draws by convention of claims, those of the outcome's own law first, and add the ends behind."""
        settings, count = self._other_conventions(outcome.law), self.draws.count
        others = len(settings)
        place = np.full(count, others)
        if settings:
            probability = others / len(_COSTS) if is_responding(outcome.law) else self.draws.spreads.claims
            # The first alternatives are drawn from the low end; from `probability` on a draw takes the law's own.
            place = np.minimum(np.floor(self.parameters.claims / probability * others), others).astype(int)
        *of_parameters, low, high = range(count, count + 2 * len(self._moved))
        found = [(outcome, np.append(np.flatnonzero(place == others), [*of_parameters, high]))]
        found += [(outcome.switched(one), np.flatnonzero(place == k)) for k, one in enumerate(settings)]
        last, lanes = found[-1]
        return [*found[:-1], (last, np.append(lanes, low))]

    def _other_conventions(self, law: Law) -> list[Settings]:
        """List the other periods of claim shares, or costs of compliance, that draws under a law may take."""
        if not self._periods:
            return []
        if not is_responding(law):
            return [{USMCA_SWITCH: value} for value in self._periods if value != law.setting(USMCA_SWITCH)]
        cost = law.setting(CLAIM_COST)
        # No cost and one that prohibits claims are limits, not estimates.
        return [{CLAIM_COST: other} for other in _COSTS if other != cost and cost in _COSTS]

    def _parameters_of(self, lane: int) -> ProductParameters:
        """Compute the parameters of a draw, or of an end of a parameter; those of claims have the central ones."""
        place, end = divmod(lane - self.draws.count, 2)
        if place < 0:
            return self.parameters.draw(lane)
        if place == len(self._moved) - 1:
            return self.parameters.central
        return self.parameters.moved(place, (_LOW, _HIGH)[end])

    def _charged(self, authorities: Sequence[str], duty_after: F64) -> ChargedDuties | None:
        """Place the duty of draws (draws, groups, authorities) by authority and group."""
        if not self._grouping.by_authority:
            return None
        authority, group = np.indices((len(authorities), self._grouping.count)).reshape(2, -1)
        duty = np.moveaxis(duty_after, 2, 1).reshape(len(duty_after), -1)
        return ChargedDuties(tuple(authorities), authority, group, {"duty_after": duty})

    def _batches(
        self, parts: Sequence[tuple[Outcome, I64]], keep: Bools, authorities: Sequence[str]
    ) -> Iterator[_DrawnLanes]:
        """Prepare outcomes one by one, each with its lanes, some at once."""
        for outcome, lanes in parts:
            args = self._prepared, self._grouping, self._response, outcome, keep, authorities
            sums = ResponseSums(*args, room=self._workspace)
            for first in range(0, len(lanes), sums.at_once):
                yield _DrawnLanes(sums, lanes[first : first + sums.at_once])

    def _each(
        self,
        batches: Iterable[_DrawnLanes],
        work: Callable[[_DrawnLanes], None],
        report: Callable[[int], None],
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
                    running.append((pool.submit(work, batch), len(batch.lanes)))
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
        why = f"{draws.count:,} draws of {groups:,} groups do not fit."
        fix = f"With that many draws there may be {most:,} groups: take fewer draws or coarser keys."
        raise InputError("PARAMETER_INVALID", why, field="draws", fix=fix)
