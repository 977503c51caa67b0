"""Rebuild the embedded tables and lists from sources: `python -m tariffs.importers --from DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tariffs.importers.build import build

_ENGINE = Path(__file__).parents[1] / "engine"


def main() -> None:
    """Read the sources and write every table."""
    parser = argparse.ArgumentParser(prog="python -m tariffs.importers", description=__doc__)
    where = "folder of sources, laid out as in docs/data.md"
    parser.add_argument("--from", dest="source", type=Path, required=True, help=where)
    parser.add_argument(
        "--to", dest="engine", type=Path, default=_ENGINE, help="the engine folder to write into"
    )
    args = parser.parse_args()
    for name, rows in build(args.source, args.engine):
        print(f"{name:32} {rows:>9,}")


if __name__ == "__main__":
    main()
