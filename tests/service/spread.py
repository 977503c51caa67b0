"""Partitioned tables for tests, and results that can be compared bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from tariffs.client import Client
from tariffs.engine.schedule import reference_data

BASELINE, ON = "2025-01-01", "2025-08-15"


def trade(rows: int, seed: int = 7) -> pl.DataFrame:
    """Some lines of the embedded table, with entry dates and a column of the caller."""
    random = np.random.default_rng(seed)
    table = reference_data.reference_table().sample(rows, seed=seed, shuffle=True)
    days = [f"2025-{month:02}-15" for month in random.integers(2, 12, rows)]
    return table.with_columns(
        pl.Series("entry_date", days), pl.Series("team", random.choice(["a", "b"], rows))
    )


def write_files(table: pl.DataFrame, folder: Path, cuts: list[int]) -> Path:
    """Write a table as Parquet files that end at these rows."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = [*cuts, table.height]
    for number, (first, last) in enumerate(zip([0, *cuts], ends, strict=True)):
        table.slice(first, last - first).write_parquet(folder / f"part-{number:02}.parquet")
    return folder


def layouts(table: pl.DataFrame, folder: Path, count: int, seed: int, most_cuts: int = 5) -> Iterator[Path]:
    """Write a table in other orders of its rows and with other cuts, one layout after the other."""
    random = np.random.default_rng(seed)
    for number in range(count):
        shuffled = table.sample(fraction=1, shuffle=True, seed=number)
        rows = random.choice(np.arange(1, table.height - 1), random.integers(0, most_cuts + 1), replace=False)
        yield write_files(shuffled, folder / f"layout-{number}", sorted(rows.tolist()))


def verbs(client: Client, lines: Any, **options: Any) -> dict[str, Any]:
    """Results of an impact with a response, by authority, of a sweep and of a timeline over the same lines."""
    common = {"baseline": BASELINE, **options}
    return {
        "impact": client.impact(lines, ["base"], on=ON, by=["origin"], horizon="short", **common),
        "authority": client.impact(
            lines, ["base"], on=ON, by=["team", "authority"], response="none", **common
        ),
        "sweep": client.sweep(
            lines,
            "rates-by-country",
            vary={"cn": ["0%", "10%", "10%"]},
            on="2027-01-11",
            horizon="short",
            **common,
        ),
        "timeline": client.timeline(
            lines, ["base"], start="2025-03-01", end="2025-05-01", horizon="short", **common
        ),
    }


def frames(result: Any) -> dict[str, pl.DataFrame]:
    """Frames of a result by name."""
    names = ("groups", "totals", "segments", "averages", "total", "average_total", "consumer_prices")
    return {name: frame for name in names if isinstance(frame := getattr(result, name, None), pl.DataFrame)}


def assert_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Compare results bit for bit, with the digests of their runs."""
    for verb, result in wanted.items():
        for name, frame in frames(result).items():
            assert_frame_equal(frames(found[verb])[name], frame, check_exact=True)
        assert dict(found[verb].provenance)["run_digest"] == dict(result.provenance)["run_digest"], verb


def assert_close(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Compare results to 1e-9."""
    for verb, result in wanted.items():
        for name, frame in frames(result).items():
            assert_frame_equal(
                frames(found[verb])[name],
                frame,
                rel_tol=1e-9,
                abs_tol=1e-3,
                check_row_order="authority" not in frame,
            )
