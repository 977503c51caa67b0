"""Print what must not depend on the hash seed of the process: a quote, a table's duties, an attribution, its digest."""

from __future__ import annotations

import hashlib
import json

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tests.unit.scenario_tables import DAY, TABLE, valuer, written

GOODS = "{{id: fl301, origins: [{origins}], products: [{products}]}}"
RAISED = "{{op: set_rate, measures: " + GOODS + ", from: 2027-01-01, rate: 25%}}"
ENDED = "{op: terminate, measures: {authority: s232.metals}, at: 2027-01-01}"


def results() -> dict[str, object]:
    """The results as plain data; floats in full."""
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


if __name__ == "__main__":
    print(json.dumps(results(), sort_keys=True))
