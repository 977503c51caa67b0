"""Find the paths of duty of varieties at points of a sweep: their rates on all days since the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.law.law import Law
from tariffs.engine.response.path_sweep import PathForms
from tariffs.engine.response.trade_response import PROHIBITIVE, Response
from tariffs.engine.response.variety_rates import NOTHING
from tariffs.engine.runs.point_laws import RateHistory
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.table_duty.duties import Dated, duties_of
from tariffs.engine.table_duty.form_history import FormHistory
from tariffs.engine.table_duty.rate_classes import bits, class_functions, first_of, numbered


@dataclass(frozen=True)
class VarietyPaths:
    """Paths of duty of varieties at points that differ in rates.

    Attributes:
        of_variety: path of each variety.
        forms: rates of the paths by day.
        history: gives the rates of forms at points.
    """

    of_variety: I64
    forms: PathForms
    history: FormHistory

    @classmethod
    def of(
        cls, run: TableRun, response: Response, law: Law, dated: Dated, rates: RateHistory
    ) -> VarietyPaths | None:
        """Find the paths; None if sums over varieties cannot express them.

        Args:
            run: the table.
            response: its response.
            law: the law at one of the points.
            dated: the instants of the lines.
            rates: rates of the law on earlier days at all points.
        """
        assert run.steps is not None
        days = run.steps.days(law, dated)
        run.share_compile([(law, then) for _, then in days])
        history, forms, place = FormHistory(PROHIBITIVE), list[_DayForms](), 0
        for _, then in days:
            run.check()
            found = _forms_on(run, response, law, then, rates, place, history)
            if found is None:
                return None
            forms.append(found)
            place += len(then.moments)
        of_variety, table, known = _numbered_paths(response, forms, history.rates)
        moved = np.append(history.moved, np.zeros(len(known) - len(history.moved), dtype=bool))
        _leave_ended_closures(table, known)
        return cls(of_variety, PathForms([years for years, _ in days], table, known, moved), history)


@dataclass(frozen=True)
class _DayForms:
    """Forms of one day: class of each variety, and form of each class."""

    class_of: I32
    form: I64


def _forms_on(
    run: TableRun,
    response: Response,
    law: Law,
    dated: Dated,
    rates: RateHistory,
    place: int,
    history: FormHistory,
) -> _DayForms | None:
    """Number the forms of a day, whose first instant has a place in the rates; None if something is partly barred."""
    varieties = response.varieties
    duties = duties_of(law, run.lines_under(law, dated), dated, run.check)
    if any(rated.family.atoms is not varieties.atoms for rated in duties.rated):
        return None
    class_of, numbers, partly = response.rates_under(duties).of_variety, list[I64](), list[Bools]()
    for at, rated in enumerate(duties.rated, place):
        functions = class_functions(law, rated, rates.moved[at])
        partly.append((functions.barred > 0.0) & (functions.barred < 1.0 - NOTHING))
        numbers.append(history.add(functions, rates.function[at]))
    if (np.concatenate(partly)[class_of] & (varieties.value > 0.0)).any():
        return None
    return _DayForms(class_of, np.concatenate(numbers))


def _numbered_paths(response: Response, days: Sequence[_DayForms], rates: F64) -> tuple[I64, I64, F64]:
    """Number the distinct paths of varieties.

    Args:
        response: the response, with the rates at the baseline.
        days: the forms of each day.
        rates: rate of each form.

    Returns:
        The path of each variety, the form of each path at the baseline and on each day (paths x 1 + days), and the rate
        of each form, those at the baseline behind the others.
    """
    from tariffs.engine.response.kernels.path_cells import mark_paths

    base, before = response.base_rate, np.full(response.varieties.count, -1)
    marks = np.zeros(len(base), dtype=np.uint64)
    for place, day in enumerate(days):
        form = day.form[day.class_of]
        changed = np.flatnonzero(form != before)
        mark_paths(changed.astype(np.int32), form[changed].view(np.uint64), place, marks)
        before = form
    of_variety = numbered(marks.view(np.int64), bits(base))
    first = first_of(of_variety)
    known, at_base = np.unique(base[first], return_inverse=True)
    columns = [len(rates) + at_base, *(day.form[day.class_of[first]] for day in days)]
    return of_variety, np.column_stack(columns), np.concatenate([rates, known])


def _leave_ended_closures(form: I64, rates: F64) -> None:
    """Drop prohibitions that ended, in place: until then their goods keep the form from before the prohibition."""
    closed = rates[form] >= PROHIBITIVE
    stays = np.logical_and.accumulate(closed[:, ::-1], axis=1)[:, ::-1]
    for day in range(1, form.shape[1]):
        ended = closed[:, day] & ~stays[:, day]
        form[ended, day] = form[ended, day - 1]
