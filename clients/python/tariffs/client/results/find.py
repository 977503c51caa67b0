"""Codes found by words, with the range of their duty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tariffs.client.errors import TariffsError
from tariffs.client.results.json_values import json_value
from tariffs.client.results.quote import Provenance


@dataclass(frozen=True, slots=True)
class FindCandidate:
    """Code that goods of some words may have; rates are fractions of customs value, None without an origin.

    Attributes:
        hts: heading of 4 digits; with a schedule a code of 8 or 10; a chapter if no heading has the words.
        text: short name of the heading, or the text of the code in the schedule.
        score: how well its texts fit the words; comparable within one answer only.
        matched: name, everyday words or text by which it was found.
        words: words of its text that no other candidate has.
        low: least duty over its 10-digit codes and over facts that are not declared.
        high: highest duty over them.
        covers: number of its 10-digit codes.
        facts: facts that are not declared and would move the duty.
        prohibited: measures that prohibit entry of one of its codes.
        citations: legal sources of the duties that may be charged on one of its codes.
        refused: codes whose duty value alone does not give, by reason; they are not in the range.
        problem: why none of its codes can be rated; None if they can.
    """

    hts: str
    text: str
    score: float
    matched: str
    words: tuple[str, ...]
    low: Decimal | None = None
    high: Decimal | None = None
    covers: int = 0
    facts: tuple[str, ...] = ()
    prohibited: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    refused: Mapping[str, int] | None = None
    problem: TariffsError | None = None

    @property
    def rate(self) -> Decimal | None:
        """The one rate of all its codes; None if they differ."""
        return self.low if self.low == self.high and not self.refused else None

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data, rates as numbers."""
        problem = self.problem
        return {
            "hts": self.hts,
            "text": self.text,
            "score": round(self.score, 4),
            "rate": None if self.rate is None else float(self.rate),
            "rates": _pair(self.low, self.high),
            "matched": self.matched,
            "words": list(self.words),
            "facts": list(self.facts),
            "covers": self.covers,
            "refused": json_value(self.refused or {}),
            "prohibited": list(self.prohibited),
            "citations": list(self.citations),
            "problem": problem and {"reason": problem.reason, "message": str(problem)},
        }


@dataclass(frozen=True, slots=True)
class FindResult:
    """Codes that goods of some words may have, the likeliest first. No classification: who imports decides the code.

    Attributes:
        candidates: the codes; empty if no text has the words.
        searched: texts that were searched.
        corrected: words that no text has, with those searched in their place.
        unknown: words that no text has, nor one like them; they were left out.
        provenance: what it takes to get the rates again; None without an origin.
    """

    candidates: tuple[FindCandidate, ...]
    searched: str
    corrected: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    provenance: Provenance | None = None

    @property
    def rates(self) -> tuple[Decimal, Decimal] | None:
        """Least and highest duty over the candidates; None if none has a rate."""
        lows = [one.low for one in self.candidates if one.low is not None]
        highs = [one.high for one in self.candidates if one.high is not None]
        return (min(lows), max(highs)) if lows and highs else None

    @property
    def frame(self) -> pl.DataFrame:
        """A row a candidate: `hts, text, score, low, high, covers, words, facts`, rates as float."""
        rows = [
            {
                "hts": one.hts,
                "text": one.text,
                "score": one.score,
                "low": None if one.low is None else float(one.low),
                "high": None if one.high is None else float(one.high),
                "covers": one.covers,
                "words": " ".join(one.words),
                "facts": ", ".join(one.facts),
            }
            for one in self.candidates
        ]
        texts, numbers = ("hts", "text"), ("score", "low", "high")
        schema = dict.fromkeys(texts, pl.String()) | dict.fromkeys(numbers, pl.Float64())
        more = {"covers": pl.Int64(), "words": pl.String(), "facts": pl.String()}
        return pl.DataFrame(rows, schema={**schema, **more})

    def to_json_dict(self) -> dict[str, object]:
        """Convert to the document of `find --json`."""
        return {
            "candidates": [one.to_json_dict() for one in self.candidates],
            "rates": None if self.rates is None else _pair(*self.rates),
            "searched": self.searched,
            "corrected": dict(self.corrected),
            "unknown": list(self.unknown),
            "provenance": None if self.provenance is None else dict(self.provenance),
        }


def _pair(low: Decimal | None, high: Decimal | None) -> list[float] | None:
    return None if low is None or high is None else [float(low), float(high)]
