"""Totals of the library's scenarios on imports and exports, kept beside each scenario with the digest of the law.

`python -m tests.unit.scenario_results` writes them again; what the law data moved then shows in the diff.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tariffs.engine.law import Law, load_law
from tariffs.engine.runs.finish import total_row
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario, apply_scenario, components, library, named

DAYS = ("2025-12-01", "2026-11-24", "2027-01-11")
COLUMNS = ("duty", "duty_owed", "value_after", "duty_after")


def path_of(name: str) -> Path:
    return named.HERE / f"{name}.json"


class Results:
    """Totals of scenarios; laws that are alike on a day are valued once."""

    def __init__(self) -> None:
        self.law = load_law()
        self._valuers = {
            side: TableRun(
                None, self.law, Options(by=(), horizon="long", direction=way), RunContext(None, None)
            )
            for side, way in (("totals", "import"), ("exports", "export"))
        }
        self._known: dict[Any, dict[str, float | None]] = {}

    def of(self, scenario: Scenario, days: Iterable[str] = DAYS) -> dict[str, Any]:
        return {
            "scenario": scenario.digest,
            "law_version": self.law.version,
            "law_digest": self.law.digest,
            **{side: {day: self._total(side, scenario, day) for day in days} for side in self._valuers},
        }

    def _total(self, side: str, scenario: Scenario, day: str) -> dict[str, float | None]:
        laws = [(weight, apply_scenario(self.law, part)) for weight, part in components(scenario)]
        valuer = self._valuers[side]
        key = side, *((weight, self._likeness(valuer, law, day)) for weight, law in laws)
        if key not in self._known:
            total = total_row(valuer.sums(valuer.outcomes(scenario, day)))
            self._known[key] = {name: total[name] for name in COLUMNS}
        return self._known[key]

    def _likeness(self, valuer: TableRun, law: Law, day: str) -> Any:
        return valuer.law_fingerprint(law, valuer.dated(law, day))


def main() -> None:
    found = Results()
    for name, scenario in library().items():
        path_of(name).write_text(json.dumps(found.of(scenario), indent=1) + "\n", encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
