"""Find codes of goods by words, in names of headings, words that people use, and texts of a user's own schedule."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from tariffs.client._wire.frames import read_table
from tariffs.client.errors import InvalidRequest
from tariffs.client.find.word_index import Ranking, WordIndex, words_of
from tariffs.client.results.short_names import name_of, named_codes

SYNONYMS = Path(__file__).with_name("data") / "synonyms.csv"
_LEAST_SHARE = 0.45
"""Candidates with less of the best score are left out."""
_SCHEDULES_KEPT = 2
_HEADING_DIGITS = 4
_BELOW_HEADINGS = 5
_TEXT_COLUMNS = ("hts", "text")


class Found(NamedTuple):
    """Code found by words: its text, score, and the name, words or line by which it was found."""

    hts: str
    text: str
    score: float
    matched: str


class FoundGoods(NamedTuple):
    """Codes found, the best first, words that were corrected or that no text has, and the texts that were searched."""

    found: list[Found]
    corrected: dict[str, str]
    unknown: list[str]
    searched: str


class _Texts:
    """Texts of codes, ranked by words.

    Args:
        pairs: codes with their texts; a code may have several.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = pairs
        self._ranked = WordIndex(text for _, text in pairs)

    def best(self, words: str) -> tuple[dict[str, Found], Ranking]:
        """Find the best text of each code."""
        ranking = self._ranked.search(words)
        found: dict[str, Found] = {}
        for place, score in ranking.scores:
            code, text = self.pairs[place]
            found.setdefault(code, Found(code, name_of("hts4", code), score, text))
        return found, ranking

    @cached_property
    def below(self) -> Mapping[str, Mapping[str, str]]:
        """Texts by code of each heading."""
        lines: dict[str, dict[str, str]] = {}
        for code, text in self.pairs:
            lines.setdefault(code[:_HEADING_DIGITS], {})[code] = text
        return lines


def find_goods(words: str, limit: int, schedule: str | Path | None = None) -> FoundGoods:
    """Find codes of goods by words.

    Args:
        words: words of any language that the texts are in, such as `cotton T-shirts`.
        limit: codes at most.
        schedule: table with columns `hts` and `text`, as `tariffs data import hts` writes it; without one headings
            alone are found.

    Raises:
        InvalidRequest: TABLE_UNREADABLE or COLUMN_MISSING for the schedule.
    """
    headings, read = _names().best(words)
    found = _leading(headings or _chapters().best(words)[0])
    searched = (
        f"names of {len(named_codes('hts4')):,} headings and of chapters, and words that people use for them"
    )
    if schedule is None:
        return FoundGoods(found[:limit], *read[1:], f"{searched}; no texts of 8 or 10 digits")
    path = Path(schedule)
    texts = _schedule(path, path.stat().st_mtime_ns if path.exists() else 0)
    own, also = texts.best(words)
    lines = _lines(texts, own, headings)
    unknown = [word for word in also.unknown if word in read.unknown]
    searched = f"texts of {len(texts.pairs):,} codes in {path.name}; {searched}"
    return FoundGoods((_leading(lines) or found)[:limit], read.corrected | also.corrected, unknown, searched)


def own_words(texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """List the words of each text that no other text has, in the singular and in their order."""
    listed = {code: dict.fromkeys(words_of(text)) for code, text in texts.items()}
    return {
        code: tuple(
            word
            for word in words
            if not any(word in others for other, others in listed.items() if other != code)
        )
        for code, words in listed.items()
    }


def _leading(found: Mapping[str, Found]) -> list[Found]:
    """Order codes by score, and leave out those far below the best."""
    ordered = sorted(found.values(), key=lambda one: (-one.score, one.hts))
    return [one for one in ordered if one.score >= _LEAST_SHARE * ordered[0].score]


def _lines(texts: _Texts, own: Mapping[str, Found], headings: Mapping[str, Found]) -> dict[str, Found]:
    """Score lines of a schedule by their own text and by the heading above them."""
    found: dict[str, Found] = {}
    leading = [one.hts for one in _leading(headings)[:_BELOW_HEADINGS]]
    for above in dict.fromkeys([*leading, *(code[:_HEADING_DIGITS] for code in own)]):
        heading = headings.get(above)
        for code, text in texts.below.get(above, {}).items():
            if code in own or above in leading:
                line = own.get(code)
                score = (line.score if line else 0.0) + (heading.score if heading else 0.0)
                matched = text if line or not heading else heading.matched
                found[code] = Found(code, text, score, matched)
    return found


@cache
def _names() -> _Texts:
    with SYNONYMS.open(encoding="utf-8", newline="") as file:
        used = [(row["code"], word) for row in csv.DictReader(file) for word in row["words"].split(";")]
    return _Texts([*named_codes("hts4").items(), *used])


@cache
def _chapters() -> _Texts:
    return _Texts(list(named_codes("hts2").items()))


@lru_cache(maxsize=_SCHEDULES_KEPT)
def _schedule(path: Path, _changed: int) -> _Texts:
    frame = read_table(path)
    missing = [name for name in _TEXT_COLUMNS if name not in frame.columns]
    if missing:
        raise InvalidRequest(
            "COLUMN_MISSING",
            f"{path.name} has no column {missing[0]}.",
            field="schedule",
            fix="Make it with `tariffs data import hts FILE -o schedule.parquet`.",
        )
    rows = [(code, text) for code, text in frame.select(_TEXT_COLUMNS).drop_nulls().iter_rows() if text]
    if not rows:
        raise InvalidRequest("TABLE_UNREADABLE", f"{path.name} has no texts.", field="schedule")
    return _Texts(rows)
