"""Parts that show an answer, as plain data: the command line prints them, desk and notebooks draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Width = Literal["narrow", "wide", "page"]
"""Room of a view: terminal and notebook, terminal with `--wide`, page of the desk, which folds what is long."""


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to another page with other values."""

    words: str
    path: str
    changed: dict[str, str]

    def __str__(self) -> str:
        return self.words


Cell = str | Link


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences under a scenario, or on all of them where it is empty."""

    sentences: Sequence[str]
    scenario: str = ""
    is_dim: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Table: titles of columns, which may be ids of scenarios, rows, and the places of columns of numbers.

    A page names the `scenario` in its caption.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: Sequence[int] = ()
    caption: str = ""
    scenario: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of amounts, which the command line leaves out: name, size, words."""

    caption: str
    rows: Sequence[tuple[str, float, str]]


@dataclass(frozen=True, slots=True)
class Named:
    """Names under a title, in one sentence or folded."""

    title: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """Paragraph with a title, lines with their titles, and legal sources."""

    title: str
    lines: Sequence[tuple[str, str]]
    sources: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """Facts that are not given and would change the answer: name and meaning; forms have a field for each."""

    rows: Sequence[tuple[str, str]]


class Gap:
    """Empty line of the command line."""


Part = Said | Grid | Bars | Named | Entry | OpenFacts | Gap
GAP = Gap()


def usd(amount: Decimal | None) -> str:
    """Write an amount to the cent; empty for none."""
    return "" if amount is None else f"{amount:,.2f}"


def percent(share: Decimal | None) -> str:
    """Write a signed share; empty for none."""
    return "" if share is None else f"{100 * share:+.1f} %"
