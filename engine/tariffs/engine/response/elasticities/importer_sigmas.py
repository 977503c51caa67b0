"""Look up sigma by importing country: the response of US exports is that of the country they go to."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parents[1] / "data" / "importer_sigmas.csv"
SETS = ("short", "long")
"""Sets whose sigma differs between importers; the others rest on estimates that are no importer's."""


class ImporterSigma(NamedTuple):
    """Sigma of a country in a section, standard deviation of its log, and source."""

    sigma: float
    spread: float
    source: str


def sigma_of(importer: str, section: str, name: str) -> ImporterSigma | None:
    """Look up sigma of an importer (ISO code) in a section under a set; None where no estimate is the importer's."""
    return _table(name).get((importer, section)) if name in SETS else None


def without_sigmas(importers: Iterable[str]) -> list[str]:
    """Name the importers that have no estimate of their own."""
    known = {importer for importer, _ in _table(SETS[0])}
    return sorted({*importers} - known)


@cache
def _table(name: str) -> Mapping[tuple[str, str], ImporterSigma]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {
            (row["importer"], row["section"]): ImporterSigma(
                float(row[name]), float(row["sigma_ln_sd"]), f"{row['importer']}: {row['source']}"
            )
            for row in csv.DictReader(file)
        }


@cache
def table_bytes() -> bytes:
    """Read the table as it is on disk, for digests."""
    return _FILE.read_bytes()
