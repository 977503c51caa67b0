"""Client methods for tables that a server keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._verbs.replay import with_call
from tariffs.client._wire.channel import Backend, LocalBackend
from tariffs.client._wire.column_mapping import fitting_mapping
from tariffs.client._wire.entry_table import REQUIRED
from tariffs.client._wire.excel import SheetChoice
from tariffs.client._wire.frames import Table, batches_of, read_described
from tariffs.client._wire.progress import Progress, Report, reporting
from tariffs.client._wire.reading import read, read_all
from tariffs.client._wire.requests import direction_value
from tariffs.client._wire.retry import read_whole
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.sweep import Seek, Sweep
from tariffs.client.results.table_check import TableCheck, TableColumn
from tariffs.client.results.table_handle import TableHandle
from tariffs.v1 import table_service_pb2 as pb

_PAGE_SIZE = 1000
Result = TypeVar("Result", ImpactResult, TimelineResult, Sweep, Seek)


class TableCalls(RemoteCalls):
    """Tables that a server keeps; mixed into `Client`."""

    def upload(self, table: Table, *, share_with: str = "", timeout: float | None = None) -> TableHandle:
        """Upload a table to the server; the same rows give the same handle and are not sent again.

        `impact`, `timeline` and `start` do this by themselves with a table that does not fit one message.

        Args:
            table: frame, lazy frame, or path of a Parquet, Arrow or CSV file.
            share_with: one of your groups, whose members may use the table; see `share_table`.
            timeout: seconds; by default the config's deadline.

        Raises:
            InvalidRequest: the table cannot be used as a whole.
            ResourceExhausted: ROW_QUOTA: it is too large, or the caller keeps too many.
            PermissionDenied: you are not in the group.
        """
        handle = self._remote().upload(table, timeout)
        return self.share_table(handle, share_with) if share_with else handle

    def check_table(
        self,
        table: Table,
        *,
        mapping: str | Path = "",
        sheet: str = "",
        header_row: int = 0,
        date_format: str = "",
        direction: str = "import",
        to: str = "",
        law_version: str = "",
        timeout: float | None = None,
    ) -> TableCheck:
        """Say how a table is read, before anything is computed: columns, days, codes, refused rows and totals.

        Args:
            table: frame, lazy frame, or path of a file; or what `upload` gave. A server stores one that does not fit
                one message.
            mapping: name of a built-in mapping of columns (ace, cbp7501), or the path of a mapping file.
            sheet: name of the sheet of a workbook; by default the first that has a row of column names.
            header_row: row of the sheet with the column names, counted from 1; by default the first that fits.
            date_format: as in `impact`.
            direction: as in `impact`.
            to: as in `impact`.
            law_version: as in `impact`.
            timeout: seconds; by default the config's deadline.

        Raises:
            InvalidRequest: the table cannot be used as a whole, such as COLUMN_MISSING.
        """
        choice = SheetChoice(arguments.text(sheet, "sheet"), header_row)
        sent, sources, form = read_described(table, mapping, choice)
        request = pb.CheckTableRequest(
            date_format=arguments.text(date_format, "date_format"),
            direction=direction_value(direction),
            to=arguments.text(to, "to"),
            law_version=arguments.text(law_version, "law_version"),
        )
        seconds = arguments.seconds(timeout, self._config.deadlines.impact)
        try:
            answer = self._backend.unary("CheckTable", request, seconds, sent)
        except InvalidRequest as error:
            _name_mapping(error, sent)
            raise
        columns = (read(TableColumn, one, source=sources.get(one.name, "")) for one in answer.columns)
        return read(TableCheck, answer, form=form, columns=tuple(columns))

    def tables(self, *, all_owners: bool = False, timeout: float | None = None) -> tuple[TableHandle, ...]:
        """List the tables that the server keeps for this caller and those shared with it, the newest first.

        Args:
            all_owners: list the tables of everybody, for admins.
            timeout: seconds for each page; by default the config's deadline.
        """
        pages = self._pages(pb.ListTablesRequest, timeout, all_owners=all_owners)
        return tuple(handle for page in pages for handle in read_all(TableHandle, page.tables))

    def share_table(
        self, table: TableHandle | str, group: str = "", *, owner: str = "", timeout: float | None = None
    ) -> TableHandle:
        """Share a table with a group, whose members may use it; only you and admins can delete it.

        Args:
            table: handle of the table, or its name.
            group: one of your groups (`whoami`); empty to share it with nobody.
            owner: owner of the table, for admins.
            timeout: seconds; by default the config's deadline.

        Raises:
            NotFound: TABLE_NOT_FOUND.
            PermissionDenied: you are not in the group, or the table is only shared with you.
        """
        answer = self._ask(pb.ShareTableRequest, timeout, name=_name_of(table), group=group, owner=owner)
        return read(TableHandle, answer)

    def delete_table(
        self, table: TableHandle | str, *, owner: str = "", timeout: float | None = None
    ) -> None:
        """Delete a table from the server, by its handle or the handle's name.

        Args:
            table: handle of the table, or its name.
            owner: owner of the table, for admins.
            timeout: seconds; by default the config's deadline.

        Raises:
            NotFound: TABLE_NOT_FOUND.
            PermissionDenied: the table is only shared with you.
        """
        self._ask(pb.DeleteTableRequest, timeout, name=_name_of(table), owner=owner)

    def _pages(self, message: type[Message], timeout: float | None, /, **given: object) -> Iterator[Any]:
        page = self._ask(message, timeout, **given, page_size=_PAGE_SIZE)
        yield page
        while token := page.next_page_token:
            page = self._ask(message, timeout, **given, page_size=_PAGE_SIZE, page_token=token)
            yield page

    def _run(
        self,
        method: str,
        request: Any,
        lines: Table | None,
        read: Callable[[Iterator[Any], Report], Result],
        seconds: float,
        progress: Progress,
        backend: Backend | None = None,
        call: Mapping[str, object] | None = None,
    ) -> Result:
        """Make a call of a run over a table, by default to the backend of this client, and read its answer whole.

        The provenance of the result gets `call`, the record of the call.
        """
        chosen = backend or self._backend
        with reporting(progress) as report:
            result = read_whole(
                lambda left: chosen.over_table(method, request, lines, left),
                lambda messages: read(messages, report),
                seconds,
            )
        return result if call is None else replace(result, provenance=with_call(result.provenance, call))

    def _computing(self, cluster: str, lines_to: str | Path | None = None) -> Backend:
        """Backend that computes a run: a cluster where its address is given, else that of this client."""
        if cluster or (lines_to and isinstance(self._backend, LocalBackend)):
            backend = LocalBackend(arguments.text(cluster, "cluster"), str(lines_to or ""))
            own = self._backend
            backend.law_version = (
                own.law_version if isinstance(own, LocalBackend) else self._config.law_version
            )
            return backend
        if lines_to:
            raise InvalidRequest(
                "REQUEST_INVALID",
                "A server writes no files.",
                field="lines_to",
                fix="Give cluster=ADDRESS or use Client.local(), or take the lines with include_lines.",
            )
        return self._backend


def _name_of(table: TableHandle | str) -> str:
    return arguments.text(table.name if isinstance(table, TableHandle) else table, "table")


def _name_mapping(error: InvalidRequest, table: Table) -> None:
    """Add the built-in mapping that knows the columns of a table to the error of missing ones."""
    if error.reason != "COLUMN_MISSING" or isinstance(table, TableHandle):
        return
    if name := fitting_mapping(next(batches_of(table)).columns, REQUIRED):
        error.fix = f'Use mapping="{name}".'
