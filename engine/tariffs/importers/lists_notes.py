"""Read product lists from the notes of chapter 99 of the schedule (HTS 2026, Revision 6)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tariffs.importers.listing import Lists, digits, plain

if TYPE_CHECKING:
    from tariffs.importers.codes import Universe

_TEXT = "hts/notes/chapter99_2026_rev_6.txt"
_CODE = re.compile(r"(?<![\d.])\d{4}(?:\.\d{2}(?:\.\d{2}(?:\.?\d{2})?)?)?(?![\d.])")


class _Paragraph(NamedTuple):
    """Patterns around the codes of a paragraph, its citation, and the scope and first day of its rows."""

    before: str
    after: str
    cite: str
    scope: str = ""
    start: str = ""


_PARAGRAPHS = {
    "AIRCRAFT_GB": _Paragraph(
        r'\n\(a\) As provided in heading 9903\.96\.01.*?"Special" subcolumn:',
        r"\(b\) As provided in heading 9903\.96\.02",
        "HTS U.S. note 35(a); 9903.96.01",
        scope="civil_aircraft",
    ),
    "AIRCRAFT_JP": _Paragraph(
        r'\(b\) As provided in heading 9903\.96\.02.*?"Special" subcolumn:',
        r"\n36\. ",
        "HTS U.S. note 35(b); 9903.96.02",
        scope="civil_aircraft",
    ),
    "S232_IA_ALU_ARTICLES": _Paragraph(
        r"\(i\) Articles of aluminum:",
        r"\(ii\) Derivative aluminum",
        "HTS U.S. note 16(c)(i)",
        start="2026-04-06",
    ),
    "S232_IA_STEEL_ARTICLES": _Paragraph(
        r"\(iii\) Articles of steel:",
        r"Harmonized Tariff Schedule",
        "HTS U.S. note 16(c)(iii)",
        start="2026-04-06",
    ),
}
_HEADER_OF_PAGE = re.compile(r"\n\s*Harmonized Tariff Schedule[^\n]*")


def read(ch99: Path, _universe: Universe) -> Lists:
    """Build the lists that stand only in the text of the notes; `ch99` is the folder of lists beside it."""
    text = (ch99.parent / _TEXT).read_text(encoding="utf-8")
    return {
        name: plain(_codes(text, one), one.cite, start=one.start, scope=one.scope)
        for name, one in _PARAGRAPHS.items()
    }


def _codes(text: str, paragraph: _Paragraph) -> list[str]:
    found = re.search(f"{paragraph.before}(.*?){paragraph.after}", text, re.DOTALL)
    if found is None:
        raise ValueError(f"the text of the notes has no paragraph that begins with {paragraph.before!r}")
    # Provisions of chapter 98 in the lists are claims and not goods: an entry says them beside its code.
    listed = (digits(code) for code in _CODE.findall(_HEADER_OF_PAGE.sub("", found[1])))
    return [code for code in listed if not code.startswith("98")]
