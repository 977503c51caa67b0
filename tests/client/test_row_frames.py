"""Frames of rows equal those that Polars makes of the same values."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import polars as pl

from tariffs.client._wire.entry_batches import frame_of, text_lists
from tariffs.client.results import entries

TEXTS = pl.List(pl.String())


def test_lists_of_texts_are_those_of_polars_with_empty_ones_and_nulls() -> None:
    dice = random.Random(5)
    for _ in range(200):
        lists = [
            None if dice.random() < 0.2 else [dice.choice("aé,") * dice.randint(0, 2) for _ in range(count)]
            for count in (dice.randint(0, 3) for _ in range(dice.randint(0, 12)))
        ]
        made = text_lists(lists)
        assert made.to_list() == lists
        assert made.dtype == pl.Series(lists, dtype=TEXTS).dtype


def test_a_frame_of_rows_is_the_one_of_polars() -> None:
    kinds = {"name": entries.TEXT, "paid": entries.MONEY, "notes": entries.TEXTS}
    schema = {"name": pl.String(), "paid": pl.Decimal(20, 2), "notes": TEXTS}
    rows: list[dict[str, Any]] = [
        {"name": "a", "paid": Decimal("1.25"), "notes": ["b", "c"]},
        {"name": None, "paid": None, "notes": None},
        {"name": "d", "paid": Decimal("0.00"), "notes": []},
    ]
    for count in range(4):
        made = frame_of(rows[:count], kinds)
        wanted = pl.DataFrame(rows[:count], schema=schema)
        assert made.equals(wanted)
        assert made.schema == wanted.schema
