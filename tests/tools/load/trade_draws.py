"""Requests for quotes of goods drawn from the embedded import table, by customs value, over 60 days of the law."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from tariffs.engine.law import load_law
from tariffs.engine.schedule.reference_data import reference_table

DAYS = 60


def drawn_requests(seed: int, *, explain: bool = False) -> Iterator[Mapping[str, Any]]:
    """Draw requests in the JSON form of the wire, without end; equal seeds give equal draws."""
    dice, table, last = random.Random(seed), reference_table(), load_law().as_of
    goods = list(zip(table["hts"], table["origin"], strict=True))
    values = table["customs_value"].cum_sum().to_list()
    while True:
        for code, origin in dice.choices(goods, cum_weights=values, k=1000):
            line = {
                "hts": code,
                "origin": origin,
                "entry": (last - timedelta(dice.randrange(DAYS))).isoformat(),
                "customs_value": str(dice.randint(500, 500_000)),
                "quantity": str(dice.randint(1, 5000)),
            }
            yield {"line": line, "explain": explain}
