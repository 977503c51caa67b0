"""No option of the worked cases gives back more than it pays, and the cases cite the rule they follow."""

from __future__ import annotations

import re
from pathlib import Path

from tariffs.client import Client
from tariffs.client.cases.case_file import read_cases
from tariffs.engine.law.yaml_texts import load_yaml

PATH = Path(__file__).with_name("options.yaml")
RULE = re.compile(r"19 CFR (146|190|152)\b| v\. |T\.D\. ")


def test_refund_and_drawback_are_never_above_what_is_paid(client: Client) -> None:
    for case in read_cases(PATH):
        asked = {"entry_date" if name == "date" else name: value for name, value in case.asked.items()}
        (found,) = client.options(scenarios=case.scenarios[0], **asked).scenarios
        costs = [found.best.cost, *(one.cost for one in found.options if one.cost is not None)]
        assert all(0 <= one.refunded + one.drawback <= one.duty + one.fees for one in costs), case.id


def test_sixty_cases_cite_the_rule() -> None:
    cases = load_yaml(PATH)["cases"]
    assert sum(any(RULE.search(text) for text in case["cite"]) for case in cases) >= 60
    assert all(case["note"] and case["cite"] for case in cases)
