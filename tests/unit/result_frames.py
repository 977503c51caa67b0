"""Compare frames of results that are computed in two ways."""

from __future__ import annotations

import polars as pl
from polars.testing import assert_frame_equal

DIFFERENCES = ("diversion", "creation", "landed_change", "value_change", "revenue_change")


def assert_agree(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Compare to 1e-12 of each number; of differences, which may cancel, to 1e-12 of the value they are taken from."""
    differences = [name for name in DIFFERENCES if name in expected.columns]
    assert_frame_equal(found.drop(differences), expected.drop(differences), rel_tol=1e-12, abs_tol=0.0)
    for name in differences:
        assert found[name].is_null().equals(expected[name].is_null())
        gap = (found[name] - expected[name]).abs() / (expected["customs_value"] + 1.0)
        assert gap.drop_nulls().to_numpy().max(initial=0.0) <= 1e-12, name
