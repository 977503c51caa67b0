"""Rate the lines of a table under laws: the instants at which they enter, and the default shares that a law selects."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from datetime import date, datetime

import numpy as np

from tariffs.engine.base.array_utils import I32
from tariffs.engine.errors import ServiceError
from tariffs.engine.law.law import CLAIM_COST, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import entry_instant, read_known_on
from tariffs.engine.response.claims import ClaimResponse
from tariffs.engine.runs.options import Options, law_with_options
from tariffs.engine.schedule import reference_data
from tariffs.engine.table_duty.duties import Dated, Duties, duties_of
from tariffs.engine.table_duty.rated_lines import law_of_day, share_compile
from tariffs.engine.tables.default_shares import USMCA_CLAIM, basis_of, is_responding
from tariffs.engine.tables.export_lines import prepared_for
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.prepare import OwnDates, Table, lines_on_basis

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


class RunContext:
    """Progress and cancellation of one run."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress = progress or (lambda stage, fraction: None)
        self._cancelled = cancelled or (lambda: False)

    def check(self) -> None:
        """Raise ServiceError CANCELLED if the caller cancelled the run."""
        if self._cancelled():
            raise ServiceError("CANCELLED", "The caller cancelled the run.")

    def step(self, stage: str, fraction: float) -> None:
        """Report the stage and the fraction done."""
        self.check()
        self._progress(stage, fraction)


class RatedTable:
    """Table whose lines are rated under any number of laws, and its duties at the baseline.

    Args:
        table: a frame, a path, or None for the embedded table of US imports or exports 2024.
        law: the law before any scenario.
        options, context: those of the run.

    Attributes:
        base: duties at the baseline; None for a static run of a table without one.

    Raises:
        InputError: PARAMETER_INVALID, or a fault of the table as a whole.
    """

    def __init__(self, table: Table, law: Law, options: Options, context: RunContext) -> None:
        context.step("reading the table", 0.0)
        self.law = law_with_options(law, options)
        self.options, self._option_notes = options.with_iso_days(self.law)
        self.context = context
        self.market = options.goods_market(self.law)
        markets = options.goods_markets(self.law)
        self.prepared = prepared_for(markets, table, self.law, self.options.date_format)
        self._markets = self.prepared.markets or (self.market,)
        self._lines = {basis_of(self.law): self.prepared.lines}
        self._claims: ClaimResponse | None = None
        self._switches: dict[str, str] = {}
        self._too_many: set[int] = set()
        self.base: Duties | None = None
        if day := self.options.baseline or self.prepared.baseline:
            self.base_dated = self.dated_alike(self.law, day, self.law.as_of)
            self.base = self.duties(self.law, self.base_dated)

    def check(self) -> None:
        """Raise ServiceError CANCELLED if the caller cancelled the run."""
        self.context.check()

    @property
    def own_dates(self) -> OwnDates | None:
        """Entry dates of the lines on the clock of their direction; None if no line has one."""
        return self.prepared.own_dates(self.law.zones[self.market])

    def dated(self, law: Law, on: str) -> Dated:
        """Date the lines: by their entry dates, and by `on` where a line has none."""
        frame = self.prepared.frame
        if "entry_date" not in frame.columns or not frame.height:
            # A table of which every row was refused has an instant too, that of the run.
            return self.dated_alike(law, on)
        parts = [self._dated_in_market(law, on, market) for market in self._markets]
        return parts[0] if len(parts) == 1 else _joined(parts, self.prepared.market_of_line)

    def dated_alike(self, law: Law, on: str, known: date | None = None) -> Dated:
        """Date all lines by `on`, each in the time of its market; `known` takes the place of the options' day."""
        instants = [entry_instant(law, on, market) for market in self._markets]
        days = [
            known or self._known_at(law, moment, market)
            for moment, market in zip(instants, self._markets, strict=True)
        ]
        return Dated(instants, days, self.prepared.market_of_line, self._markets)

    def _known_at(self, law: Law, moment: datetime, market: str) -> date:
        return read_known_on(law, self.options.known_on, moment.astimezone(law.zones[market]).date())

    def _dated_in_market(self, law: Law, on: str, market: str) -> Dated:
        """Date the lines as if all were goods of one market."""

        def segment(moment: datetime) -> Hashable:
            known = bisect_right(law.publication_days, self._known_at(law, moment, market))
            return bisect_right(law.boundaries, moment), known

        instants, of_line = self.prepared.entry_instants(entry_instant(law, on, market), segment)
        known = [self._known_at(law, moment, market) for moment in instants]
        return Dated(instants, known, of_line, [market] * len(instants))

    def law_fingerprint(self, law: Law, dated: Dated) -> Hashable:
        """Compute a value that is equal for laws and instants with the same duties and response on all lines."""
        return law_of_day(law, dated)

    def duties(self, law: Law, dated: Dated) -> Duties:
        """Compute the duties of a law, on the shares that it selects."""
        return duties_of(law, self.lines_under(law, dated), dated, self.context.check)

    def lines_under(self, law: Law, dated: Dated) -> LineArrays:
        """Take the default shares that a law's switches select; shares declared on lines stay."""
        if not self.prepared.bases:
            return self.prepared.lines
        if is_responding(law) and USMCA_CLAIM in self.prepared.bases:
            if self._claims is None:
                observed = self.dated_alike(self.law, reference_data.baseline().isoformat(), self.law.as_of)
                self._claims = ClaimResponse(self.law, self.prepared, observed, self.context.check)
            return self._claims.lines_under(law, dated)
        basis = basis_of(law)
        if basis not in self._lines:
            self._lines[basis] = lines_on_basis(self.prepared, law)
        return self._lines[basis]

    def rebased_notes(self, law: Law) -> tuple[Note, ...]:
        """Note that a law's switches select other default shares than those of the run."""
        other = dict(basis_of(law)).items() - dict(basis_of(self.law)).items()
        if not other or not self.prepared.bases:
            return ()
        selected = ", ".join(f"{name}={value}" for name, value in sorted(other))
        text = f"Undeclared shares are those of {selected}; rates at the baseline are those of the run."
        return (Note("SHARES_REBASED", text),)

    def basis_switches(self) -> dict[str, str]:
        """Look up the switches that select the default shares of this table."""
        law = self.law
        used = {claim.reference for claim in law.claims.values() if claim.id in self.prepared.bases}
        names = {law.references[name].switch for name in used if name in law.references} - {""}
        return {name: value for name, value in basis_of(law) if name in names or name == CLAIM_COST}

    def share_compile(self, dated_laws: Sequence[tuple[Law, Dated]]) -> None:
        """Compile laws together that are going to be computed one by one, those on its shares with the baseline."""
        of_basis: dict[Hashable, list[tuple[Law, Dated]]] = {}
        if self.base is not None:
            of_basis[basis_of(self.law)] = [(self.law, self.base_dated)]
        for each in dated_laws:
            if not is_responding(each[0]):
                of_basis.setdefault(basis_of(each[0]), []).append(each)
        for alike in of_basis.values():
            share_compile(alike, self.lines_under(*alike[0]))


def _joined(parts: Sequence[Dated], market_of_line: I32 | None) -> Dated:
    """Join the dates of lines of several markets; each line has those of its own."""
    starts = np.cumsum([0, *(len(part.instants) for part in parts)])
    count = 0 if market_of_line is None else len(market_of_line)
    places = np.zeros((len(parts), count), dtype=np.int32)
    for row, (part, start) in enumerate(zip(parts, starts, strict=False)):
        places[row] = start if part.of_line is None else part.of_line + start
    of_line = places[market_of_line, np.arange(count)]
    instants, known, markets = zip(*(moment for part in parts for moment in part.moments), strict=True)
    return Dated(instants, known, of_line, markets)
