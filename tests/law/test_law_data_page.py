"""The proclamation that opens docs/law-data.md is the law's own, with lines left out."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tariffs.engine.law.files import HERE

PAGE = Path(__file__).parents[2] / "docs/law-data.md"
COMMENT = re.compile(r"\s+#.*$")


def example() -> str:
    return PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]


def test_every_line_is_in_the_law_in_this_order_and_explained() -> None:
    law = (HERE / "measures/s232_wood.yaml").read_text(encoding="utf-8").splitlines()
    lines = [COMMENT.sub("", line) for line in example().splitlines()]
    place = -1
    for line in lines:
        place = law.index(line, place + 1)
    assert 35 <= len(lines) <= 45
    assert sum("#" in line for line in example().splitlines()) >= len(lines) * 2 // 3


def test_it_is_yaml_of_one_measure() -> None:
    (measure,) = yaml.safe_load(example())["measures"]
    assert measure["id"] == "s232_cabinets"
