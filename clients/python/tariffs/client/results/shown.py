"""Show results over tables in notebooks and at the prompt, by sections that also make reports and workbooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from tariffs.client.results import html
from tariffs.client.results.charts import Figure
from tariffs.client.results.columns import keys_of, largest_first, shown_numbers
from tariffs.client.results.headline import assumptions
from tariffs.client.results.json_values import json_value
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.output_files import write_report
from tariffs.client.results.quote import Note, Provenance
from tariffs.client.results.refused import refused_json, refused_words
from tariffs.client.results.report import report_html, report_parts
from tariffs.client.results.sections import Section
from tariffs.client.results.text import frame_grid
from tariffs.client.results.workbook import write_workbook

_SHOWN_IN_TEXT = 10
_SHOWN_REFUSED = 10
_REFUSED_COLUMNS = ("row", "line_id", "column", "reason", "found", "message")


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class TableResult:
    """Result over a table, shown by sections. A planning estimate, not a ruling.

    Attributes:
        refused: rows that could not be used: `row, column, reason, found, message`.
        notes: notes on the result.
        provenance: law version, digests and switches: inputs needed to reproduce the result.
    """

    refused: pl.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Provenance

    def to_json_dict(self, refused_path: str | None = None) -> dict[str, object]:
        """Convert to the document of `--json`: numbers as floats, amounts of entries as text, undefined ones as None.

        Args:
            refused_path: the file that holds all refused rows, if one was written.
        """
        return {
            **self._json(),
            "refused": refused_json(self.refused, refused_path),
            "notes": json_value(self._notes_on_all()),
            "provenance": dict(self.provenance),
        }

    def __repr__(self) -> str:
        shown = (
            f"{one.title}, {frame_grid(one.frame, one.keys, one.numbers, _SHOWN_IN_TEXT)}"
            for one in self._sections()
        )
        refused = [refused_words(self.refused)] if self.refused.height else []
        about = assumptions(self.provenance)
        return "\n\n".join([self._headline(), *([about] if about else []), *shown, *refused])

    def _repr_html_(self) -> str:
        return html.block(
            html.heading(self._headline()),
            html.paragraph(assumptions(self.provenance), "dim"),
            *(section.to_html() for section in self._sections()),
            refused_table(self.refused),
            html.folded_notes(self.notes),
            html.paragraph(html.law_line(self.provenance), "dim"),
        )

    @property
    def days(self) -> list[str]:
        """Days that the result is about, ISO; the first and last of a period."""
        request = self.provenance.get("request")
        options = request.get("options") if isinstance(request, Mapping) else None
        on = options.get("on") if isinstance(options, Mapping) else None
        return [str(on or self.provenance.get("known_on") or "")]

    def report(
        self, path: str | Path | None = None, *, question: str = "", law: LegalText | None = None
    ) -> str:
        """Write the result as one HTML document with tables, charts, notes, doubts and inputs; it needs no network.

        Args:
            path: file to write it to, if any.
            question: question that it answers, as its title.
            law: the law behind it, `client.legal_text(result)`: scenarios and open points in words, legal sources.

        Raises:
            InvalidRequest: the name of the file ends in neither .html nor .htm.
        """
        text = report_html(self._headline(), question, html.law_line(self.provenance), self.report_body(law))
        if path is not None:
            write_report(path, text)
        return text

    def report_body(self, law: LegalText | None = None) -> list[str]:
        """Write the parts of the report below its title, as HTML; `law` as in `report`."""
        return report_parts(
            sections=[section.to_html() for section in self._sections()] + self._balances(),
            figures=self._figures,
            refused=refused_table(self.refused),
            notes=self.notes,
            provenance=self.provenance,
            law=law,
        )

    def to_excel(self, path: str | Path, *, question: str = "") -> None:
        """Write the result as a workbook: a cover, a sheet for each table with all its rows, the notes, the inputs.

        Args:
            path: the .xlsx file.
            question: question that it answers, for the cover.

        Raises:
            InvalidRequest: the name of the file does not end in .xlsx.
            ExtraMissing: the extra `notebook` is not installed.
        """
        cover = {
            "question": question,
            "result": self._headline(),
            "days": " to ".join(dict.fromkeys(self.days)),
            "law": html.law_line(self.provenance),
            "assumptions": assumptions(self.provenance),
        }
        write_workbook(Path(path), cover, self.workbook_sheets(), self.provenance)

    def workbook_sheets(self) -> dict[str, pl.DataFrame]:
        """Name the sheets of the workbook, without that of the inputs."""
        notes = [(note.reason, note.message, note.scenario, note.on) for note in self.notes]
        sheets = self._sheets()
        if self.refused.height:
            sheets["refused"] = self.refused
        sheets["notes"] = pl.DataFrame(
            notes, dict.fromkeys(("reason", "message", "scenario", "on"), pl.String), orient="row"
        )
        return sheets

    def _json(self) -> dict[str, object]:
        """Convert what is the result's own to plain data."""
        own = fields(self)[len(fields(TableResult)) :]
        return {one.name: json_value(getattr(self, one.name)) for one in own}

    def _notes_on_all(self) -> list[Note]:
        """Notes that stand with no part of the JSON document."""
        return list(self.notes)

    def _sheets(self) -> dict[str, pl.DataFrame]:
        """Name the frames of the sheets of a workbook."""
        return {section.title.partition(",")[0]: section.frame for section in self._sections()}

    def _balances(self) -> list[str]:
        """Write the tables of a report that are in no other form of the result, as HTML."""
        return []

    def _figures(self) -> list[Figure]:
        """Draw the charts of a report."""
        return []

    def _headline(self) -> str:
        """Say in a few words what the result is."""
        raise NotImplementedError

    def _sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        raise NotImplementedError


def section_of(title: str, frame: pl.DataFrame, runs: Sequence[str] = (), shown: int = 15) -> Section:
    """Make the section of a frame of results: the largest duty first, with the columns that have a short title.

    Args:
        title: its name.
        frame: rows of results.
        runs: columns before the keys of a group that name the run, such as scenario.
        shown: largest number of rows shown.
    """
    keys = [name for name in runs if name in frame.columns] + [
        name for name in keys_of(frame) if name not in runs
    ]
    return Section(title, frame, keys, shown_numbers(frame), shown)


def largest_section(title: str, frame: pl.DataFrame, runs: Sequence[str] = ()) -> Section:
    """Make the section of groups, those with the largest duty first."""
    return section_of(title, largest_first(frame, "duty") if "duty" in frame.columns else frame, runs)


def refused_table(refused: pl.DataFrame) -> str:
    """Write the first refused rows, folded under their count; nothing if there are none."""
    if not refused.height:
        return ""
    columns = [name for name in _REFUSED_COLUMNS if name in refused.columns]
    rows = [
        ["" if value is None else str(value) for value in row]
        for row in refused.select(columns).head(_SHOWN_REFUSED).iter_rows()
    ]
    return html.folded(refused_words(refused), html.table(columns, 0, rows))
