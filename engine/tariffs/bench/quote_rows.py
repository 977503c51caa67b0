"""Measure quotes of goods never asked before, beside a dictionary of their ready layers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import polars as pl

from tariffs.bench.measure import Deadline, RivalDiffersError, Sample, sample_of, seconds_of
from tariffs.bench.workbench import Workbench
from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import Schedule, load_schedule
from tariffs.service.rpc.duty import calculate_duty
from tariffs.v1 import duty_service_pb2

DAYS = 60
"""Days before the law's as-of day from which entries are drawn."""
CENT, ZERO = Decimal("0.01"), Decimal(0)
SEED = 20_260_101
Layers = tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer on a line: the duty assessed, and of each layer the rate on the value and the amount."""

    assessed: Decimal
    layers: Layers


class Draws:
    """Entry lines drawn from a table, each pair of goods and origin as often as it is worth, on days of the last 60.

    Goods whose ordinary rate has several units or cannot be computed are left out: a declarant would state more.

    Args:
        table: `hts, origin, customs_value`.
    """

    def __init__(self, table: pl.DataFrame, last: date, seed: int = SEED) -> None:
        units = {code: _unit(load_schedule(), code, last) for code in table["hts"].unique()}
        known = table.filter(pl.col("hts").is_in([code for code, unit in units.items() if unit is not None]))
        self._goods: list[tuple[str, str]] = list(known.select("hts", "origin").iter_rows())
        self._weights = known["customs_value"].to_numpy() / float(known["customs_value"].sum())
        self._units, self._last = units, last
        self._random = np.random.default_rng(seed)

    def take(self, count: int) -> list[EntryLine]:
        """Draw so many lines."""
        places = self._random.choice(len(self._goods), count, p=self._weights)
        days = self._random.integers(0, DAYS, count)
        values = self._random.integers(1_000, 100_000, count)
        return [
            self._line(self._goods[place], int(day), int(value))
            for place, day, value in zip(places, days, values, strict=True)
        ]

    def _line(self, goods: tuple[str, str], days_ago: int, value: int) -> EntryLine:
        hts, origin = goods
        unit = self._units[hts] or ""
        day = (self._last - timedelta(days=days_ago)).isoformat()
        return EntryLine(hts, origin, str(value), day, quantity="100" if unit else None, unit=unit)


class ReadyLayers:
    """Rival: the layers of goods, origin and day from a dictionary, multiplied, rounded to cents and added."""

    def __init__(self, lines: Sequence[EntryLine], answers: Sequence[Answer]) -> None:
        self._lines = lines
        self._layers = {
            _key(line): tuple(_ready(Decimal(str(line.value)), *layer) for layer in answer.layers)
            for line, answer in zip(lines, answers, strict=True)
        }
        if self.assessed() != [answer.assessed for answer in answers]:
            raise RivalDiffersError("The sums of ready layers are not the duties of the engine.")

    def assessed(self) -> list[Decimal]:
        """Compute the duty of every line."""
        return [
            sum((_amount(Decimal(str(line.value)), *layer) for layer in self._layers[_key(line)]), ZERO)
            for line in self._lines
        ]

    def seconds(self) -> float:
        """Measure the seconds for all lines: the median of three calls, as one is short."""
        return statistics.median(seconds_of(self.assessed) for _ in range(3))


def quote_layers(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure quotes with their layers."""

    def quote(line: EntryLine) -> Answer:
        found = quote_line(bench.law, line)
        return Answer(found.assessed, tuple((one.rate or ZERO, one.amount) for one in found.layers))

    return _mean_quote(bench, quote, deadline)


def quote_with_reasons(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure quotes with reasons and the measures that did not apply, as messages."""

    def quote(line: EntryLine) -> Answer:
        message = duty_service_pb2.EntryLine(
            hts=line.hts,
            origin=line.origin,
            customs_value=str(line.value),
            entry=str(line.entry),
            unit=line.unit,
        )
        if line.quantity is not None:
            message.quantity = str(line.quantity)
        found = calculate_duty(duty_service_pb2.CalculateDutyRequest(line=message, explain=True))
        layers = tuple((Decimal(one.rate or 0), Decimal(one.amount)) for one in found.layers)
        return Answer(Decimal(found.assessed), layers)

    return _mean_quote(bench, quote, deadline)


def batch(bench: Workbench, deadline: Deadline) -> Sample:
    """Measure a batch of mixed lines through the client of this process."""
    lines = draws_of(bench).take(bench.counts.batch_lines)
    frame = pl.DataFrame(
        {
            "hts": [line.hts for line in lines],
            "origin": [line.origin for line in lines],
            "customs_value": [str(line.value) for line in lines],
            "entry_date": [str(line.entry) for line in lines],
            "quantity": [line.quantity and str(line.quantity) for line in lines],
            "unit": [line.unit or None for line in lines],
        },
        schema_overrides={"quantity": pl.String, "unit": pl.String},
    )
    with Client.local() as client:
        begun = time.perf_counter()
        found = client.duties(frame)
        taken = time.perf_counter() - begun
    answers = {
        row: Answer(quote.assessed, tuple((layer.rate or ZERO, layer.amount) for layer in quote.layers))
        for row, quote in found.quotes.items()
    }
    rival = ReadyLayers([lines[row] for row in answers], list(answers.values()))
    return sample_of(taken, rival.seconds())


def draws_of(bench: Workbench) -> Draws:
    """The draws of a bench, which go on from row to row and from round to round."""
    return bench.shared("draws", lambda: Draws(bench.frame, bench.law.as_of))


def _mean_quote(bench: Workbench, quote: Callable[[EntryLine], Answer], deadline: Deadline) -> Sample:
    """Measure the mean of new quotes, after as many others in the first round; fewer where time is short."""
    draws, count = draws_of(bench), bench.counts.draws

    def ask_others() -> int:
        return len(list(_answers(draws.take(count), quote, Deadline(bench.counts.seconds))))

    bench.shared(f"others of {quote.__qualname__}", ask_others)
    answered = list(_answers(draws.take(count), quote, deadline))
    lines = [line for line, _, _ in answered]
    rival = ReadyLayers(lines, [answer for _, answer, _ in answered]).seconds()
    return sample_of(sum(seconds for _, _, seconds in answered) / len(lines), rival / len(lines))


def _answers(
    lines: Sequence[EntryLine], quote: Callable[[EntryLine], Answer], deadline: Deadline
) -> Iterator[tuple[EntryLine, Answer, float]]:
    """Yield lines with their answers and seconds, until the deadline; lines that need more facts are left out."""
    for line in lines:
        begun = time.perf_counter()
        try:
            answer = quote(line)
        except InputError:
            continue
        yield line, answer, time.perf_counter() - begun
        if deadline.passed():
            return


def _unit(schedule: Schedule, code: str, day: date) -> str | None:
    """Unit of the specific rates of a code, empty without one; None if there are several or a rate is a formula."""
    found = schedule.find(code, day)
    if found is None or not (found.general.computable and found.other.computable):
        return None
    units = {unit for rate in (found.general, found.other) for _, unit in rate.specific}
    return None if len(units) > 1 else next(iter(units), "")


def _key(line: EntryLine) -> tuple[str, str, object, object]:
    return line.hts, line.origin, line.entry, line.value


def _ready(value: Decimal, rate: Decimal, amount: Decimal) -> tuple[Decimal, Decimal]:
    """Layer as a rate on the value, or as a fixed amount with rate 0 where it is not one."""
    return (rate, ZERO) if _amount(value, rate, ZERO) == amount else (ZERO, amount)


def _amount(value: Decimal, rate: Decimal, fixed: Decimal) -> Decimal:
    return (value * rate).quantize(CENT, ROUND_HALF_UP) if rate else fixed
