"""Rank texts by the words of a question: BM25, with words that no text has corrected by their spelling."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import bm25s
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

# The library sets its own level, below that of most programs.
logging.getLogger("bm25s").setLevel(logging.WARNING)
_WORD = re.compile(r"[^\W_]+")
# `T-shirt`, `t shirt` and `tshirt` are one word, and so are `3-D` and `3D`.
_INITIAL = re.compile(r"\b(?:([b-z])[-\s]|(\d)-)(?=[a-z])")
_UNCOUNTED = frozenset(
    ("a", "an", "and", "for", "in", "made", "not", "of", "on", "or", "other", "than", "the", "to", "with", "without")
)  # fmt: skip
_ALIKE, _LEAST_LETTERS = 0.79, 5
_LEAST_PLURAL = 4
_FOUND = 60


class Ranking(NamedTuple):
    """Places of texts with their scores, the best first, words that were corrected, and words that no text has."""

    scores: list[tuple[int, float]]
    corrected: dict[str, str]
    unknown: list[str]


def words_of(text: str) -> list[str]:
    """List the words of a text that count, in lower case and the singular."""
    plain = _INITIAL.sub(r"\1\2", text.lower().replace("\u2019", "'").replace("'s", ""))
    return [_singular(word) for word in _WORD.findall(plain) if word not in _UNCOUNTED]


def _singular(word: str) -> str:
    if len(word) < _LEAST_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > _LEAST_PLURAL:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")) or (
        word.endswith("oes") and len(word) > _LEAST_PLURAL + 1
    ):
        return word[:-2]
    return word[:-1]


class WordIndex:
    """Index of texts by their words.

    Args:
        texts: at least one of them with a word.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        listed = [words_of(text) for text in texts]
        self._scores = bm25s.BM25(b=0.6)
        self._scores.index(listed, show_progress=False)
        self._count = len(listed)
        self._known = {word for words in listed for word in words}
        self._spelled = sorted(word for word in self._known if word.isalpha())

    def search(self, text: str) -> Ranking:
        """Rank the texts that have words of a question, at most 60 of them."""
        asked = self._joined(words_of(text))
        corrected = {word: near for word in asked if word not in self._known for near in self._nearest(word)}
        words = [corrected.get(word, word) for word in asked]
        known = [word for word in words if word in self._known]
        unknown = [word for word in words if word not in self._known]
        return Ranking(self._ranked(known) if known else [], corrected, unknown)

    def _joined(self, words: list[str]) -> list[str]:
        """Join words that the texts write as one, such as `lap top`."""
        for first, second in pairwise(words):
            if first + second in self._known:
                place = words.index(first)
                return [*words[:place], first + second, *self._joined(words[place + 2 :])]
        return words

    def _nearest(self, word: str) -> Sequence[str]:
        if len(word) < _LEAST_LETTERS or not word.isalpha():
            return ()
        scorer = DamerauLevenshtein.normalized_similarity
        found = process.extractOne(word, self._spelled, scorer=scorer, score_cutoff=_ALIKE)
        return () if found is None else (found[0],)

    def _ranked(self, words: list[str]) -> list[tuple[int, float]]:
        count = min(_FOUND, self._count)
        found = self._scores.retrieve([words], k=count, show_progress=False, backend_selection="numpy")
        pairs = zip(found.documents[0].tolist(), found.scores[0].tolist(), strict=True)
        return sorted(
            ((place, score) for place, score in pairs if score > 0), key=lambda one: (-one[1], one[0])
        )
