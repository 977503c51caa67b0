"""GSIM of one importer, product by product: the equations of the whole matrix with one importing column."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.response import gsim, gsim_imports

PRODUCT = np.array([7, 7, 7, 9, 9, 7])
VALUE = np.array([100.0, 40.0, 0.0, 30.0, 70.0, 60.0])
BEFORE = np.array([0.0, 0.05, 0.1, 0.02, 0.0, 0.0])
AFTER = np.array([0.1, 0.05, 0.2, 0.12, 0.07, 0.03])
DEMAND, BETWEEN, SUPPLY = np.array([-1.5, -0.8]), np.array([4.0, 2.5]), np.array([10.0, 3.0])


def test_every_product_is_the_matrix_of_one_importer() -> None:
    """The importer is region 0, each line of a product another region; nobody else buys."""
    found = gsim_imports(PRODUCT, VALUE, BEFORE, AFTER, DEMAND, BETWEEN, supply=SUPPLY)
    for k, product in enumerate((7, 9)):
        lines = np.flatnonzero(product == PRODUCT)
        regions = lines.size + 1
        flows, before, after = (
            np.zeros((regions, regions)),
            np.ones((regions, regions)),
            np.ones((regions, regions)),
        )
        flows[1:, 0], before[1:, 0], after[1:, 0] = VALUE[lines], 1 + BEFORE[lines], 1 + AFTER[lines]
        whole = gsim(flows, before, after, DEMAND[k], SUPPLY[k], BETWEEN[k])
        traded = VALUE[lines] > 0.0
        for ours, theirs in (
            (found.exporter_price_hat[lines], whole.price_hat[1:]),
            (found.quantity_hat[lines], whole.quantity_hat[1:, 0]),
            (found.value[lines], whole.value[1:, 0]),
        ):
            np.testing.assert_allclose(ours[traded], theirs[traded], rtol=1e-12)
        assert found.buyer_surplus[k] == pytest.approx(whole.buyer_surplus[0], rel=1e-12)
        assert found.import_price_hat[k] == pytest.approx(whole.import_price_hat[0], rel=1e-12)
        assert found.welfare[k] == pytest.approx(
            whole.buyer_surplus[0] + whole.revenue[0] - whole.revenue_base[0], rel=1e-12
        )
        assert found.supplier_surplus[k] == pytest.approx(whole.supplier_surplus[1:].sum(), rel=1e-12)
    for k in (7, 9):
        assert abs(found.diversion[k == PRODUCT].sum()) < 1e-12 * VALUE.sum()
    np.testing.assert_allclose(
        found.creation + found.diversion, VALUE * (found.quantity_hat - 1.0), atol=1e-12
    )


def test_flat_supply_is_the_limit_of_large_elasticities() -> None:
    flat = gsim_imports(PRODUCT, VALUE, BEFORE, AFTER, DEMAND, BETWEEN)
    steep = gsim_imports(PRODUCT, VALUE, BEFORE, AFTER, DEMAND, BETWEEN, supply=1e12)
    assert (flat.exporter_price_hat == 1.0).all()
    np.testing.assert_allclose(flat.quantity_hat, steep.quantity_hat, rtol=1e-9)
    np.testing.assert_allclose(flat.welfare, steep.welfare, rtol=1e-8)


def test_no_change_of_duty_changes_nothing_and_prohibitive_duty_stops_at_zero() -> None:
    same = gsim_imports(PRODUCT, VALUE, BEFORE, BEFORE, DEMAND, BETWEEN, supply=SUPPLY)
    assert (same.quantity_hat == 1.0).all()
    assert (same.welfare == 0.0).all()
    steep = gsim_imports(
        PRODUCT, VALUE, BEFORE, np.array([1e4, 0, 0, 1e9, 0, 0]), DEMAND, BETWEEN, supply=SUPPLY
    )
    assert (steep.quantity_hat >= 0.0).all()
    assert (steep.value >= 0.0).all()
    assert np.isfinite(steep.welfare).all()


def test_bad_values_are_refused_with_their_line() -> None:
    with pytest.raises(InputError, match="line 0: v0"):
        gsim_imports(PRODUCT, -VALUE, BEFORE, AFTER, DEMAND, BETWEEN)


def test_an_impact_takes_the_model_by_name() -> None:
    toys = pl.DataFrame({"hts": ["9503000073"] * 2, "origin": ["DE", "CN"], "customs_value": [40.0, 60.0]})
    with Client.local() as client:
        found = client.impact(
            toys, on="2025-12-01", baseline="2025-01-01", response="gsim", horizon="short", include_lines=True
        )
    assert found.lines is not None
    rates = (found.lines["duty"] / found.lines["customs_value"]).to_numpy()
    # Section XX at `short`: sigma 2.31, eta 1.5, supply 36.
    expected = gsim_imports([0, 0], [40.0, 60.0], 0.0, rates, -1.5, 2.31, supply=36.0)
    np.testing.assert_allclose(found.lines["quantity_hat"].to_numpy(), expected.quantity_hat, rtol=1e-12)
    assert found.total["welfare"].item() == pytest.approx(expected.welfare[0], rel=1e-12)
    assert found.provenance["details"]["response"] == "gsim"  # type: ignore[index]
