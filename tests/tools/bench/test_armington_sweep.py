"""What 1,000 scenarios with the Armington response cost beside single ones: `pytest -m bench -s tests/tools/bench`."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.response import armington
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.table_duty.duties import duties_of
from tests.economics.sweeps_at_once import SweepElasticities, SweepReference, SweepTrade, sweep_at_once

DAY = "2025-05-20"
BLOCKS = 8
LIMITS = {"one origin moves": 10.0, "all rates move": 30.0}
"""Most single calls that 1,000 scenarios may cost: some 4 and 12 on a quiet machine."""


def _fastest(work: Callable[[], object], rounds: int = 5) -> tuple[float, float]:
    """Seconds of the fastest round: elapsed, and of the processor, which other work on the machine disturbs less."""
    elapsed, spent = [], []
    for _ in range(rounds):
        start, used = time.perf_counter(), time.process_time()
        work()
        elapsed.append(time.perf_counter() - start)
        spent.append(time.process_time() - used)
    return min(elapsed), min(spent)


@pytest.mark.bench
@pytest.mark.parametrize("case", LIMITS)
def test_a_thousand_scenarios_cost_a_few_single_ones(case: str) -> None:
    run = TableRun(None, load_law(), Options(response="armington", by=("origin",)), RunContext(None, None))
    response = run.response
    assert response is not None
    v, p = response.varieties, response.parameters
    duties = duties_of(run.law, run.prepared.lines, run.dated(run.law, DAY), lambda: None)
    t1 = response.rates_under(duties).rate
    origin = run.prepared.lines.origin[v.line].astype(np.int64)
    chosen = origin == np.bincount(origin).argmax()
    rates, rate_class = np.unique(np.stack([t1, chosen]), axis=1, return_inverse=True)
    kinds, kind = np.unique(np.stack([p.sigma, p.eta]), axis=1, return_inverse=True)
    elasticities = SweepElasticities(kinds[0], kinds[1])
    owner = np.zeros(p.sigma.size, dtype=np.int64)
    trade = SweepTrade(v.product, v.value, response.base_rate, rate_class, origin, kind, owner)
    held = SweepReference(rates[0], rates[1] > 0.0, elasticities) if case == "one origin moves" else None
    sweep = sweep_at_once(trade, held)
    given = None if held else elasticities
    rng = np.random.default_rng(1)
    rows = 1 if held else sweep.forms.size
    blocks = [
        rates[0, sweep.forms][:, None] + rng.uniform(0.0, 1.0, (rows, SIDE_BY_SIDE)) for _ in range(BLOCKS)
    ]

    def swept() -> None:
        with ThreadPoolExecutor(2) as pool:
            for _ in pool.map(lambda block: sweep(block, given), blocks):
                pass

    def alone() -> float:
        after = rates[0].copy()
        after[sweep.forms] = blocks[0][:, 3]
        return float(
            armington(v.product, v.value, response.base_rate, after[rate_class], p.sigma, p.eta).value.sum()
        )

    assert sweep(blocks[0], given).value[:, 3].sum() == pytest.approx(alone(), rel=1e-12)
    scale = 1000 / (BLOCKS * SIDE_BY_SIDE)
    (elapsed, spent), (_, single) = _fastest(swept), _fastest(alone)
    print(
        f"\n{case}: 1,000 scenarios {elapsed * scale:.2f} s on 2 threads ({spent * scale:.2f} s of processor), "
        f"one single call {single:.3f} s"
    )
    assert spent * scale < LIMITS[case] * single
