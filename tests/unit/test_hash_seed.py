"""Results are the same whatever the hash seed of the process, so that another process can replay them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tests.unit.scenario_tables import DAY, TABLE, valuer, written

SEEDS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "4294967295")
DAILY = 1
"""Seeds tried in the daily run beside that of this process; another takes seconds, most of it to load the law."""
GOODS = "{{id: fl301, origins: [{origins}], products: [{products}]}}"
RAISED = "{{op: set_rate, measures: " + GOODS + ", from: 2027-01-01, rate: 25%}}"
ENDED = "{op: terminate, measures: {authority: s232.metals}, at: 2027-01-01}"


def results() -> dict[str, object]:
    """A quote, a table's duties, an attribution and digests as plain data; floats in full."""
    origins, products = ["CN", "MX", "IN", "VN", "BR"], ["'95'", "'84'", "'61'", "'85'"]
    first = written(RAISED.format(origins=", ".join(origins), products=", ".join(products)), id="first")
    backward = RAISED.format(origins=", ".join(origins[::-1]), products=", ".join(products[::-1]))
    second = written(backward, ENDED, id="second")
    split = attribute(valuer("armington"), first, second, DAY)
    points = [Point(library()["base"], DAY), Point(second, DAY)]
    found = impact(TABLE, points, law=load_law(), options=Options(baseline="2025-01-01", by=("authority",)))
    quote = quote_line(load_law(), EntryLine("9503000073", "CN", 10_000, "2025-04-20"))
    return {
        "units": split.rows["unit"].unique(maintain_order=True).to_list(),
        "split": hashlib.sha256(repr(split.rows.rows()).encode()).hexdigest(),
        "groups": hashlib.sha256(repr([one.groups.rows() for one in found.scenarios]).encode()).hexdigest(),
        "digests": [found.provenance["run_digest"], first.digest, second.digest],
        "quote": repr(quote._replace(layers=())),
        "layers": [
            repr((layer.measure, layer.heading, layer.amount, layer.citations, layer.why))
            for layer in quote.layers
        ],
    }


def as_text() -> str:
    return json.dumps(results(), sort_keys=True)


def printed(seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.test_hash_seed"],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def test_hash_seeds_give_the_same_quote_table_and_attribution(scale: int) -> None:
    seeds = SEEDS if scale > 1 else SEEDS[:DAILY]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = {as_text() + "\n", *pool.map(printed, seeds)}
    assert len(found) == 1
    assert '"units": ["changes[1]"]' in found.pop()


if __name__ == "__main__":
    print(as_text())
