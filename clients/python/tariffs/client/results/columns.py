"""Names of the columns of result frames: keys, sums of money, fractions, and short titles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from tariffs.client.results.amounts import MoneyUnit, percent
from tariffs.client.results.short_names import name_of

FRACTIONS = frozenset(
    {
        "effective_rate", "rate", "effective_rate_after", "quantity_hat", "quota_premium", "share", "vs_positive",
        "collected_rate",
    }
)  # fmt: skip
"""Columns with fractions, shown in percent."""
RUN_COLUMNS = ("scenario", "on", "start", "end", "days")
"""Columns that name a run or segment, before the keys of a group."""
TITLES = {
    "customs_value": "customs value",
    "duty": "duty",
    "duty_owed": "owed",
    "effective_rate": "rate",
    "rate": "rate",
    "landed_change": "landed change",
    "value_after": "value after",
    "duty_after": "duty after",
    "duty_after_p5": "duty after, p5",
    "duty_after_p95": "duty after, p95",
    "effective_rate_after": "rate after",
    "duty_vs": "duty vs first",
    "value_vs": "value vs first",
}
"""Short titles of the columns that are shown first, in their order."""
_KEY_TITLES = {"origin": "country of origin", "destination": "country of destination"}
_PARAMETERS = {
    "sigma": "substitution between origins",
    "eta": "demand for imports",
    "supply": "supply of exporters",
    "usmca claims": "USMCA claims",
}
_WORDS = {
    "hts2": "chapter",
    "hts4": "heading",
    "sector": "industry",
    "landed": "landed cost",
    "landed_after": "landed cost after",
    "value_change": "change of value",
    "quantity_hat": "quantity, of 100",
    "exporter_price_hat": "exporters' price, of 100",
    "landed_price_hat": "landed price, of 100",
    "importer_share": "borne by buyers",
    "landed_vs": "landed cost vs first",
    "buyer_surplus": "gain of buyers",
    "welfare": "welfare",
}
"""Titles of other columns, where their name is no title."""
_SIZE, _SECTOR = "customs_value", "sector"
_ALWAYS_SHOWN = frozenset({_SIZE, "duty"})
_FIRST_NUMBERS = frozenset({"customs_value", "duty"})


def is_fraction(name: str) -> bool:
    """Test whether a column has fractions, by its name."""
    return name in FRACTIONS or name.endswith(("_share", "_hat"))


def title_of(name: str) -> str:
    """Short title of a column."""
    return TITLES.get(name) or _WORDS.get(name, name.replace("_", " "))


def in_full(name: str) -> str:
    """Title of a column in a text."""
    return (
        title_of(name)
        .replace(" after", " after buyers respond")
        .replace(" vs first", " against the first scenario")
    )


def parameter_words(name: str) -> str:
    """Name a parameter of the response, such as `sigma, section XI`."""
    parameter, comma, section = name.partition(", ")
    return f"{_PARAMETERS.get(parameter, parameter)}{comma}{section}"


def key_title(key: str) -> str:
    """Key of groups in words."""
    return _KEY_TITLES.get(key) or title_of(key)


def keys_of(frame: pl.DataFrame) -> list[str]:
    """Keys of the groups of a result frame: the columns before the first number, without those of runs."""
    names = frame.columns
    first = next((place for place, name in enumerate(names) if name in _FIRST_NUMBERS), len(names))
    return [name for name in names[:first] if name not in RUN_COLUMNS]


def shown_numbers(frame: pl.DataFrame) -> list[str]:
    """Columns of numbers to show first: those with a short title that are not empty or 0 throughout."""
    return [
        name
        for name in TITLES
        if name in frame.columns and (name in _ALWAYS_SHOWN or has_amounts(frame[name]))
    ]


def has_amounts(column: pl.Series) -> bool:
    """Test whether a column has a number other than 0."""
    return bool((column.fill_null(0) != 0).any())


def largest_first(frame: pl.DataFrame, by: str) -> pl.DataFrame:
    """Sort rows by the size of a number, the largest first, whichever sign it has; ties by customs value."""
    order = [pl.col(by).abs(), *([pl.col(_SIZE)] if _SIZE in frame.columns else [])]
    return frame.sort(order, descending=True, nulls_last=True, maintain_order=True)


def runs_largest_first(frame: pl.DataFrame, runs: Sequence[str]) -> pl.DataFrame:
    """Sort the rows of each run by their duty; the runs stay in their order."""
    if not frame.height or "duty" not in frame.columns:
        return frame
    parts = frame.partition_by(runs, maintain_order=True)
    return pl.concat([largest_first(part, "duty") for part in parts])


def labels(row: Mapping[str, object], keys: Iterable[str]) -> list[str]:
    """Write the keys of a row, sectors with their names, and values of parameters; a dash where there is none."""
    return [_label(key, row[key]) for key in keys]


def _label(key: str, value: object) -> str:
    if value is None:
        return "-"
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return f"{text} {name_of(key, text)}".rstrip() if key == _SECTOR else text


def number_cell(name: str, value: object, unit: MoneyUnit) -> str:
    """Write a number of a column: a fraction in percent, an amount in a unit."""
    return percent(value) if is_fraction(name) else unit.cell(value)
