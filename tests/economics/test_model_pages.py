"""The page of every model has its four parts: equations, sources, limits as identities, and when not to use it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "models"
MODELS = (
    "adjustment", "anticipation", "armington", "claims", "collections", "consumer_prices", "exact_hat", "exchange_rate",
    "gsim", "households", "market", "passthrough", "quotas", "reactions", "score", "smart", "trend", "world",
)  # fmt: skip
CITED = re.compile(r"\(?(19|20)\d\d|BEA|Census Bureau|USITC")


@pytest.mark.parametrize("name", MODELS)
def test_a_page_has_its_four_parts(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    equations = [line for line in text.splitlines() if line.startswith("    ") and "=" in line]
    assert equations, "equations"
    assert re.search(r"do not use it", text, re.IGNORECASE), "when not to use it"
    identities = re.split(r"limits, (?:which hold )?as identities\W*\n\n?", text, flags=re.IGNORECASE)
    assert len(identities) == 2, "limits as identities"
    assert identities[1].lstrip("* .\n"), "identities"
    assert len(CITED.findall(text)) >= 2, "sources"


def test_every_model_page_is_tested() -> None:
    others = {"README", "parameters", "uncertainty"}
    assert {path.stem for path in PAGES.glob("*.md")} == {*MODELS, *others}
