"""Scenario texts that are hostile, or nearly right: those of the library with changes by line and by value."""

from __future__ import annotations

import random

from tariffs.engine.scenario import library
from tests.property.test_scenarios import RICH, SPLICES, mutated
from tests.tools.fuzz.hostile import HOSTILE_TEXT, documents
from tests.tools.fuzz.vocabulary import words

_FIELDS = ("on", "id", "hts", "origin", "authority", "rate", "key", "value", "customs_value")


def text(chance: random.Random) -> str:
    """A text, most often one that is read far into."""
    way = chance.random()
    if way < 0.06:
        return chance.choice(documents())
    if way < 0.12:
        return "".join(chance.choice((*SPLICES, *HOSTILE_TEXT[:5])) for _ in range(chance.randrange(1, 12)))
    texts = _texts()
    if way < 0.5:
        return mutated(chance, texts)
    return _with_another_word(chance, chance.choice(texts))


def _texts() -> list[str]:
    own = [one.text for one in library().values()]
    return [RICH] * len(own) + own


def _with_another_word(chance: random.Random, whole: str) -> str:
    """The text with a few of its words replaced by real ones of any kind."""
    parts = whole.split(" ")
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(parts))
        old, word = parts[place], chance.choice(words()[chance.choice(_FIELDS)])
        ending = old[len(old.rstrip(",]}\n")) :]
        parts[place] = (old if old.endswith(":") else word) + (ending if not old.endswith(":") else "")
    return " ".join(parts)
