"""Write the names of measures and authorities of the law for displays of the client.

`python -m tariffs.reference_pages.names proto/tariffs/names/data`
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tariffs.engine.law import load_law

_TITLE = re.compile(r"^(Section \d+|IEEPA) (?:duty )?(?:on|over) (.+)")


def tables() -> dict[str, str]:
    """Write the tables as CSV text, `code,name`, by the name of their file; labels of periods are named as measures."""
    law = load_law()
    names = {measure.id: _short(measure.title) for measure in law.measures.values()}
    labels = {period.id: names[measure.id] for measure in law.measures.values() for period in measure.periods}
    measures = labels | names
    return {"authorities.csv": _text(law.authorities["names"]), "measures.csv": _text(measures)}


def _short(title: str) -> str:
    """Name the authority first, then what it is on: `Section 301, forced labor`."""
    return _TITLE.sub(r"\1, \2", title)


def _text(names: Mapping[str, str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("code", "name"), *sorted(names.items())])
    return out.getvalue()


if __name__ == "__main__":
    for file, text in tables().items():
        (Path(sys.argv[1]) / file).write_text(text, encoding="utf-8")
