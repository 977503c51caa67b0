"""Build sailing days by origin: mean sea distance of its container and general ports to Los Angeles and New York.

Distances are shortest routes in the sea network of Eurostat, as the package searoute 1.4.3 (Apache 2.0) has it, with
its own list of ports. It is no dependency: install it beside the project to run this.

Run as `python -m tariffs.importers.sailing_days PORTS_GEOJSON`, the file `data/ports.geojson` of searoute.
"""

from __future__ import annotations

import importlib
import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

from tariffs.importers.output import run, write_csv

KNOTS = 14
"""Mean speed of container ships; gives 17 days from Shanghai to Los Angeles, where schedules say 13 to 18."""
_MOST_PORTS = 12
_LANDINGS = ([-118.2, 33.7], [-74.0, 40.6])
_LAND = ("CA", "MX", "US")
_TARGET = Path(__file__).parents[1] / "engine" / "runs" / "collections" / "data" / "sailing_days.csv"


def build(ports: Path, target: Path) -> int:
    """Write near and far days by origin, giving the number of rows."""
    route: Any = importlib.import_module("searoute").searoute
    places: defaultdict[str, list[tuple[str, list[float]]]] = defaultdict(list)
    for feature in json.loads(ports.read_text(encoding="utf-8"))["features"]:
        facts = feature["properties"]
        if facts.get("t") == 1.0:
            places[facts["port"][:2]].append((facts["port"], feature["geometry"]["coordinates"]))
    rows = []
    for origin, found in sorted(places.items()):
        chosen = sorted(found)[:: max(1, len(found) // _MOST_PORTS)]
        days = [
            mean(route(place, landing, units="naut").properties["length"] for _, place in chosen)
            / (24 * KNOTS)
            for landing in _LANDINGS
        ]
        if origin not in _LAND and max(days) > 0:
            rows.append((origin, str(len(chosen)), f"{min(days):.1f}", f"{max(days):.1f}"))
    write_csv(target, ("origin", "ports", "near", "far"), rows)
    return len(rows)


if __name__ == "__main__":
    run(build, __doc__, _TARGET)
