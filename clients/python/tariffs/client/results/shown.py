"""Show results over tables in notebooks and at the prompt, by sections that also make reports and workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import polars as pl

from tariffs.client.results import html
from tariffs.client.results.answer import Answer
from tariffs.client.results.columns import keys_of, largest_first, shown_numbers
from tariffs.client.results.headline import US_EXPORTS, assumptions, days_words, is_export
from tariffs.client.results.json_values import json_value
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.quote import Note, Provenance, part_of
from tariffs.client.results.refused import refused_json, refused_words
from tariffs.client.results.report import report_html
from tariffs.client.results.tables import SHOWN_ROWS, Section, ShortTable
from tariffs.client.results.view import Passage, Story, View, drawn
from tariffs.client.results.workbook import write_workbook

_SHOWN_REFUSED = 10
_SHOWN_NUMBERS = 5
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
        answer, named = self.answer(), self.short_tables()
        exact = self.sections()[: 1 if named else None]
        parts = [
            *([answer.table, assumptions(self.provenance)] if answer else []),
            *named,
            *(replace(one, shown=SHOWN_ROWS).exact() for one in exact),
            *([refused_words(self.refused)] if self.refused.height else []),
        ]
        return "\n\n".join([self._headline(), *filter(None, map(str, parts))])

    def _repr_html_(self) -> str:
        answer, named = self.answer(), self.short_tables()
        exact = "".join(html.short(section.exact()) for section in self.sections())
        return html.block(
            html.heading(self._headline()),
            *([html.short(answer.table), html.paragraph(answer.about, "dim")] if answer else []),
            html.paragraph(assumptions(self.provenance), "dim"),
            *map(html.short, named),
            html.folded("All columns, by code", exact) if named else exact,
            refused_table(self.refused),
            html.folded_notes(self.notes),
            html.paragraph(html.law_line(self.provenance), "dim"),
        )

    @property
    def days(self) -> list[str]:
        """Days that the result is about, ISO; the first and last of a period."""
        on = part_of(self.provenance, "request", "options", "on")
        return [str(on or self.provenance.get("known_on") or "")]

    @property
    def goods(self) -> str:
        """Goods of the result in words."""
        return US_EXPORTS if is_export(self.provenance) else "US imports"

    def report(
        self, path: str | Path | None = None, *, question: str = "", law: LegalText | None = None
    ) -> str:
        """Write the result as one HTML page: answer, chart, tables, assumptions, law; it needs no network.

        Args:
            path: file to write it to, if any.
            question: question that it answers, as its title.
            law: the law behind it, `client.legal_text(result)`: scenarios and open points in words, legal sources.

        Raises:
            InvalidRequest: the name of the file ends in neither .html nor .htm.
            ExtraMissing: the extra `notebook` is not installed.
        """
        return report_html(self.to_view(question=question, law=law), path)

    def to_view(self, *, question: str = "", law: LegalText | None = None) -> View:
        """Describe the result in plain data for readers; `question` and `law` as in `report`."""
        refused = [Passage("Refused rows", [refused_words(self.refused)])] if self.refused.height else []
        story, answer = self.story(law), self.answer(law)
        first = [Passage("In figures", [], [answer.table])] if answer else []
        described = View.of(
            self.provenance,
            self.notes,
            story,
            [*first, *story.passages, *refused],
            law,
            figure=drawn(story.draw),
        )
        return replace(described, question=question) if question else described

    def to_excel(self, path: str | Path, *, question: str = "", law: LegalText | None = None) -> None:
        """Write the result as a workbook: a cover, a sheet for each table with all its rows, the notes, the inputs.

        Args:
            path: the .xlsx file.
            question: question that it answers, for the cover.
            law: the law behind it, as in `report`, which has the titles of scenarios.

        Raises:
            InvalidRequest: the name of the file does not end in .xlsx.
            ExtraMissing: the extra `notebook` is not installed.
        """
        story = self.story(law)
        cover = {
            "question": question or story.question,
            "answer": "\n".join(story.answer),
            "result": self._headline(),
            "days": " to ".join(dict.fromkeys(self.days)),
            "law": html.law_line(self.provenance),
            "assumptions": assumptions(self.provenance),
        }
        figure = drawn(story.draw)
        drawing = None if isinstance(figure, str) else figure
        write_workbook(Path(path), cover, self.workbook_sheets(), self.provenance, drawing, self._shares())

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

    def _shares(self) -> list[str]:
        """Name the columns of fractions that only this result has."""
        return []

    def _sheets(self) -> dict[str, pl.DataFrame]:
        """Name the frames of the sheets of a workbook."""
        return {section.title.partition(",")[0]: section.frame for section in self.sections()}

    def story(self, law: LegalText | None) -> Story:
        """Make the result's own parts of its view."""
        return Story(self._headline(), passages=[Passage("", (), [*map(table_of, self.sections())])])

    def _headline(self) -> str:
        """Say in a few words what the result is."""
        raise NotImplementedError

    def heading(self) -> str:
        """Say what the print is about: the days of the run."""
        return days_words(self.provenance, " to ".join(dict.fromkeys(self.days)))

    def answer(self, law: LegalText | None = None) -> Answer | None:
        """Answer in five lines, if the result is about scenarios, which are named by title where `law` has it."""
        return None

    def short_tables(self, sort: str = "", shown: int = SHOWN_ROWS) -> list[ShortTable]:
        """Tables of names and a few numbers, such as the groups with the largest number `sort`."""
        return []

    def details(self) -> list[str]:
        """Sentences on numbers that the tables do not show."""
        return []

    def sections(self) -> list[Section]:
        """List the tables of the result, the most important first."""
        raise NotImplementedError


def table_of(section: Section) -> ShortTable:
    """Write the first ten rows of a section with a few numbers, its keys in one column."""
    return replace(section, shown=SHOWN_ROWS, numbers=section.numbers[:_SHOWN_NUMBERS]).exact().narrow()


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
