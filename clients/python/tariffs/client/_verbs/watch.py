"""Client methods for events of portfolios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Unpack

import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import entry_batches, entry_table, requests
from tariffs.client._wire.entry_batches import Answer
from tariffs.client._wire.frames import Table, read_table
from tariffs.client._wire.reading import provenance, read, read_all
from tariffs.client._wire.run_options import read_option
from tariffs.client.results.watch import Portfolio, PortfolioEvent, SavedPortfolio, WatchEvent, WatchResult
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import watch_service_pb2 as pb

_COLUMNS = ("liquidation_date",)


class WatchCalls(LawCalls):
    """Events of portfolios; mixed into `Client`."""

    def watch_events(
        self,
        lines: Table,
        *,
        start: Day = "",
        end: Day = "",
        ahead: Sequence[int] = (),
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> WatchResult:
        """Find the events of lines that became known in a period: changes of duty, headings, claims and refunds.

        Args:
            lines: frame, lazy frame or path with `hts`, `origin`, `customs_value` a year, and if known `line_id`,
                `quantity` and `unit` a year, claims, `entry_date` (then the line is one entry) and `liquidation_date`.
            start: first day of knowledge; by default 30 days before the last.
            end: last day of knowledge; by default the law's as-of day.
            ahead: days before its effect on which a change is an event again; by default 30.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`: `switches`, `min_confidence`,
                `law_version` and `date_format`.

        Raises:
            InvalidRequest: the table or an option cannot be used. A row that cannot be used is in `refused`.
        """
        form = read_option("date_format", options.pop("date_format", ""))
        table, messages = portfolio_lines(self, lines, form)
        request = requests.law_request(
            "watch_events",
            pb.ListWatchEventsRequest,
            options,
            lines=messages,
            start=arguments.day(start, "start"),
            end=arguments.day(end, "end"),
            ahead=[arguments.whole(one, "ahead", 10_000) for one in ahead],
            table=table.form,
        )
        answer = self._call(request, timeout, "timeline")
        return WatchResult(
            events=read_all(WatchEvent, answer.events),
            refused=_refused(table, answer),
            provenance=provenance(answer.provenance),
        )

    def save_portfolio(
        self,
        name: str,
        lines: Table,
        *,
        ahead: Sequence[int] = (),
        since: Day = "",
        group: str = "",
        webhook: str = "",
        secret: str = "",
        date_format: str = "",
        timeout: float | None = None,
    ) -> SavedPortfolio:
        """Save a portfolio on the server, which then finds its events each day and under each new law.

        Args:
            name: lower case letters, digits, dots and dashes; one that is there gets these lines, and keeps its events.
            lines: as in `watch_events`.
            ahead: as in `watch_events`.
            since: first day of knowledge; by default today.
            group: one of your groups, whose members see it.
            webhook: https URL that its events are sent to, of a host that the server allows.
            secret: text of 16 characters or more that signs what is sent; the server keeps it as it is.
            date_format: as in `duties`.
            timeout: seconds; by default the config's deadline.

        Raises:
            InvalidRequest: the table or an option cannot be used. A row that cannot be used is in `refused`.
            ResourceExhausted: ROW_QUOTA.
        """
        self._remote()
        table, messages = portfolio_lines(self, lines, read_option("date_format", date_format))
        request = requests.lookup_request(
            pb.SavePortfolioRequest,
            name=name,
            lines=messages,
            ahead=[arguments.whole(one, "ahead", 10_000) for one in ahead],
            since=arguments.day(since, "since"),
            group=group,
            webhook=webhook,
            secret=secret,
            table=table.form,
        )
        answer = self._call(request, timeout, "impact")
        return SavedPortfolio(read(Portfolio, answer.portfolio), _refused(table, answer))

    def portfolios(self, *, timeout: float | None = None) -> tuple[Portfolio, ...]:
        """List your portfolios on the server and those shared with you."""
        answer = self._ask(pb.ListPortfoliosRequest, timeout)
        return read_all(Portfolio, answer.portfolios)

    def delete_portfolio(self, name: str, *, timeout: float | None = None) -> None:
        """Delete a portfolio with its events.

        Raises:
            NotFound: PORTFOLIO_NOT_FOUND.
            PermissionDenied: it is another caller's.
        """
        self._ask(pb.DeletePortfolioRequest, timeout, name=name)

    def portfolio_events(
        self, name: str, *, after: int = 0, delivery: str = "", timeout: float | None = None
    ) -> tuple[PortfolioEvent, ...]:
        """List the stored events of a portfolio, by number.

        Args:
            name: `NAME` or `OWNER/NAME`.
            after: number of the last event that you know.
            delivery: waiting, sent or dead, for events of that state of delivery alone.
            timeout: seconds for each 1,000 events; by default the config's deadline.

        Raises:
            NotFound: PORTFOLIO_NOT_FOUND.
        """
        found: list[PortfolioEvent] = []
        while True:
            last = found[-1].number if found else after
            page = self._ask(pb.ListPortfolioEventsRequest, timeout, name=name, after=last, delivery=delivery)
            if not page.events:
                return tuple(found)
            found += read_all(PortfolioEvent, page.events)

    def watch_portfolio(
        self, name: str, *, after: int = 0, timeout: float | None = None
    ) -> Iterator[PortfolioEvent]:
        """Iterate over the events of a portfolio as they come.

        Args:
            name: `NAME` or `OWNER/NAME`.
            after: number of the last event that you know; 0 is all.
            timeout: seconds; by default a month.

        Raises:
            NotFound: PORTFOLIO_NOT_FOUND.
            Unavailable: the server ends; watch again from the last event.
        """
        events = self._watch(pb.WatchPortfolioRequest, timeout, name=name, after=after)
        return (read(PortfolioEvent, one) for one in events)

    def release_portfolio(self, name: str, *, timeout: float | None = None) -> Portfolio:
        """Let the events of a new law go out that touch more than 30 % of the lines; for admins.

        Raises:
            NotFound: PORTFOLIO_NOT_FOUND.
            PermissionDenied: you are no admin.
        """
        return read(Portfolio, self._ask(pb.ReleasePortfolioRequest, timeout, name=name))


def _refused(table: entry_table.EntryTable, answer: Answer) -> pl.DataFrame:
    """Make the frame of refused rows of an answer about all rows of a table."""
    return entry_batches.refused_of(table, [(list(range(table.frame.height)), answer)])


def portfolio_lines(
    client: LawCalls, lines: Table, date_format: str
) -> tuple[entry_table.EntryTable, list[pb.PortfolioLine]]:
    """Read a table of a portfolio, and make the message of each row; raises as `entry_table.read_entries`."""
    table = entry_table.read_entries(read_table(lines), client.law(), "", date_format, _COLUMNS)
    return table, entry_table.row_messages(table, pb.PortfolioLine, _COLUMNS)
