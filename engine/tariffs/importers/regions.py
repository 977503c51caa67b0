"""Build the table of world regions: the subregions of UN M49 as the Unicode CLDR lists them.

`python -m tariffs.importers.regions CLDR_CORE CLDR_NAMES DIRECTORY` reads `supplemental/territoryContainment.json` of
the package cldr-core and `main/en/territories.json` of cldr-localenames-full, and writes `regions.csv`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tariffs.importers.output import write_csv

REGIONS = "regions.csv"
HEADER = ("iso2", "region")
_CODE_LENGTH = 2


def rows_of(
    contains: Mapping[str, Mapping[str, list[str]]], names: Mapping[str, str], origins: frozenset[str]
) -> list[tuple[str, str]]:
    """List the region of each known origin: the number of M49 that directly contains it, by its name."""
    return [
        (code, names[region])
        for region, members in contains.items()
        if region.isdigit()
        for code in members["_contains"]
        if len(code) == _CODE_LENGTH and code in origins
    ]


def main(core: Path, languages: Path, directory: Path, origins: frozenset[str]) -> None:
    """Write the table."""
    contained = json.loads((core / "supplemental/territoryContainment.json").read_text(encoding="utf-8"))
    english = json.loads((languages / "main/en/territories.json").read_text(encoding="utf-8"))
    rows = rows_of(
        contained["supplemental"]["territoryContainment"],
        english["main"]["en"]["localeDisplayNames"]["territories"],
        origins,
    )
    write_csv(directory / REGIONS, HEADER, rows)


if __name__ == "__main__":
    from tariffs.engine.schedule.countries import origin_codes

    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), origin_codes())
