"""Changes of the law in a period, and their effect on a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from tariffs.client.results.json_values import json_value
from tariffs.client.results.quote import Provenance
from tariffs.client.results.refused import refused_json


@dataclass(frozen=True, slots=True)
class LawChange:
    """Change of the law.

    Attributes:
        id: label of a period, path of an act, id of a stacking rule, or name of a list.
        kind: enact, end, stacking, list, or the verb of an act.
        when: its events within the period: takes_effect, ends, published.
        measures: the measures it is about.
        effect_time: its instant; empty where it has none.
        known_from: day of its publication; empty if always known.
        text: the change in words.
        citations: legal sources.
        confidence: A, B, C or U; empty where the law data does not say.
        step: the step of the frames it belongs to; changes at one instant share one. None: it cannot be valued.
    """

    id: str
    kind: str
    when: tuple[str, ...]
    measures: tuple[str, ...]
    effect_time: str
    known_from: str
    text: str
    citations: tuple[str, ...]
    confidence: str
    step: int | None


@dataclass(frozen=True, slots=True)
class LawChanges:
    """Changes of the law in a period, by instant.

    Attributes:
        changes: the changes.
        effects: effect of each step on the table, by measure: `step, at, known_on, measure, lines, customs_value,
            duty_before, duty_after, change`. Steps do not add up: an act known late has one in knowledge and one in
            time. Empty without a table.
        lines: the affected lines, the largest changes first: the same with `row, hts, origin` instead of `lines`.
        lines_left_off: number of lines that the server did not send, to limit its answer.
        refused: rows that could not be used: `row, column, reason, found, message`.
        effects_left_off, refused_left_off: likewise; a server sends at most 1 MiB of each.
        provenance: law version, digests.
    """

    changes: tuple[LawChange, ...]
    effects: pl.DataFrame
    lines: pl.DataFrame
    lines_left_off: int
    refused: pl.DataFrame
    provenance: Provenance
    effects_left_off: int = 0
    refused_left_off: int = 0

    def to_json_dict(self, refused_path: str | None = None) -> dict[str, object]:
        """Convert to the document of `law changes --json`, with the number of lines only.

        Args:
            refused_path: the file that holds all refused rows, if one was written.
        """
        return {
            "changes": json_value(self.changes),
            "effects": self.effects.to_dicts(),
            "lines": self.lines.height + self.lines_left_off,
            "refused": refused_json(self.refused, refused_path, self.refused_left_off),
            "provenance": dict(self.provenance),
        }


def by_day(changes: Iterable[LawChange]) -> dict[str, list[LawChange]]:
    """Group changes by the day on which they take effect, else are published, the first day first."""
    found: dict[str, list[LawChange]] = {}
    for one in sorted(changes, key=lambda one: one.effect_time or one.known_from):
        found.setdefault((one.effect_time or one.known_from)[:10], []).append(one)
    return found
