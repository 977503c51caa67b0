"""Compute expected results of a mixture: sums weighted by the probabilities of its components.

Sums (duty, value, welfare) are linear in the weights; a rate or hat of a mixture is the quotient of its sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import polars as pl

from tariffs.engine.base.array_utils import F64, sum_of
from tariffs.engine.response.sector_market import DomesticGoods
from tariffs.engine.runs.results import PROHIBITED_VALUE


def expected_columns(parts: Sequence[tuple[float, Mapping[str, F64]]]) -> Mapping[str, F64]:
    """Weight columns of sums per line; columns of a single part are returned unchanged."""
    if len(parts) == 1:
        return parts[0][1]
    names = parts[0][1].keys()
    return {name: sum_of([(weight, columns[name]) for weight, columns in parts]) for name in names}


def expected_goods(
    parts: Sequence[tuple[float, tuple[DomesticGoods, ...]]],
) -> tuple[DomesticGoods, ...]:
    """Weight domestic goods per product, draw by draw; none without a market of sectors."""
    names = [field.name for field in fields(DomesticGoods)]
    weights = [weight for weight, _ in parts]
    return tuple(
        DomesticGoods(
            **{
                name: sum_of([(w, getattr(one, name)) for w, one in zip(weights, goods, strict=True)])
                for name in names
            }
        )
        for goods in zip(*(goods for _, goods in parts), strict=True)
    )


def expected_frames(parts: Sequence[tuple[float, pl.DataFrame]], keys: Sequence[str]) -> pl.DataFrame:
    """Weight frames of sums over the same keys; a key missing in one counts as 0 there."""
    if len(parts) == 1:
        return parts[0][1]
    numbers = [name for name in parts[0][1].columns if name not in keys]
    weighted = [frame.with_columns(pl.col(name) * weight for name in numbers) for weight, frame in parts]
    return sum_frames(weighted, keys, numbers).select(parts[0][1].columns)


def averaged_frames(parts: Sequence[tuple[float, pl.DataFrame]], keys: Sequence[str]) -> pl.DataFrame:
    """Average the result columns by keys with weights; rates are quotients of means."""
    if not keys:
        parts = [(weight, frame.with_columns(pl.lit(0).alias("_all"))) for weight, frame in parts]
    means = expected_frames(parts, keys or ["_all"])
    if PROHIBITED_VALUE in means.columns:
        entered = pl.col("customs_value") - pl.col(PROHIBITED_VALUE)
        means = means.with_columns(effective_rate=pl.when(entered > 0).then(pl.col("duty") / entered))
    if "value_after" in means.columns:
        after = pl.when(pl.col("value_after") != 0).then(pl.col("duty_after") / pl.col("value_after"))
        means = means.with_columns(effective_rate_after=after)
    return means.sort(keys, nulls_last=True) if keys else means.drop("_all")


def sum_frames(frames: Sequence[pl.DataFrame], keys: Sequence[str], numbers: Sequence[str]) -> pl.DataFrame:
    """Sum columns of frames by keys; a sum is null where all its values are."""
    sums = (
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name) for name in numbers
    )
    return pl.concat(frames).group_by(keys, maintain_order=True).agg(sums)
