"""Client method for events of lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import LawCalls
from tariffs.client._wire import entry_batches, entry_table, requests
from tariffs.client._wire.frames import Table, read_table
from tariffs.client._wire.reading import provenance, read_all
from tariffs.client._wire.run_options import read_option
from tariffs.client.results.watch import WatchEvent, WatchResult
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import duty_service_pb2 as pb

_COLUMNS = ("liquidation_date",)


class WatchCalls(LawCalls):
    """Events of lines; mixed into `Client`."""

    def watch_events(
        self,
        lines: Table,
        *,
        since: Day = "",
        end: Day = "",
        ahead: Sequence[int] = (),
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> WatchResult:
        """Find the events of lines that became known in a period: changes of duty, headings, claims and refunds.

        Args:
            lines: frame, lazy frame or path with `hts`, `origin`, `customs_value` a year, and if known `line_id`,
                `quantity` and `unit` a year, claims, `entry_date` (then the line is one entry) and `liquidation_date`.
            since: first day of knowledge; by default 30 days before the last.
            end: last day of knowledge; by default the law's as-of day.
            ahead: days before its effect on which a change is an event again; by default 30.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`: `switches`, `min_confidence`,
                `law_version` and `date_format`.

        Raises:
            InvalidRequest: the table or an option cannot be used. A row that cannot be used is in `refused`.
        """
        form = read_option("date_format", options.pop("date_format", ""))
        table = entry_table.read_entries(read_table(lines), self.law(), "", form, _COLUMNS)
        request = requests.law_request(
            "watch_events",
            pb.ListWatchEventsRequest,
            options,
            lines=entry_table.row_messages(table, pb.WatchLine, _COLUMNS),
            since=arguments.day(since, "since"),
            end=arguments.day(end, "end"),
            ahead=[arguments.whole(one, "ahead", 10_000) for one in ahead],
            table=table.form,
        )
        answer = self._call(request, timeout, "timeline")
        return WatchResult(
            events=read_all(WatchEvent, answer.events),
            refused=entry_batches.refused_of(table, [(list(range(table.frame.height)), answer)]),
            provenance=provenance(answer.provenance),
        )
