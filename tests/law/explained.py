"""Five unlike entries with all that is said of them, as plain data; run as a module to write the snapshot anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tariffs.engine.law import load_law
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.class_profile import profile_of
from tariffs.engine.line_duty.entry_line import resolve_line
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.line_duty.unapplied import UnappliedMeasure
from tariffs.engine.line_duty.why_not import why_not
from tariffs.engine.schedule.lines import load_schedule

SNAPSHOT = Path(__file__).parent / "explained.yaml"
CASES = {
    "chinese bolts in 2026": EntryLine("7318.15.8066", "CN", 10000, "2026-11-24"),
    "canadian steel in May 2025": EntryLine("7208.51.0030", "CA", 10000, "2025-05-20", {"usmca_share": 0}),
    "canadian steel in June 2025": EntryLine("7208.51.0030", "CA", 10000, "2025-06-20", {"usmca_share": 0}),
    "german machining center": EntryLine(
        "8457.10.0015", "DE", 100000, "2026-11-24", {"metal_weight_share": 0.8}
    ),
    "mexican car": EntryLine(
        "8703.23.0190", "MX", 30000, "2026-11-24", {"usmca_share": 1, "us_content_share": 0.4}
    ),
    "chinese furniture by metal share": EntryLine(
        "9403.20.0050", "CN", 10000, "2025-09-01", {"steel_share": 0, "aluminum_share": 0.3}
    ),
}


def considered(law: Law, line: EntryLine, *, known_on: str | None = None) -> tuple[UnappliedMeasure, ...]:
    """Measures that did not apply to a line, which is read again."""
    reading = resolve_line(law, line, known_on, load_schedule())
    return why_not(law, reading, profile_of(law, reading))


def told(line: EntryLine) -> dict[str, Any]:
    """The answer on a line in words: layers, headings, and what was considered."""
    law = load_law()
    quote = quote_line(law, line)
    return {
        "assessed": f"{quote.assessed}",
        "owed": f"{quote.owed}",
        "layers": [
            f"{x.heading} {x.measure} {x.state} {x.amount} [{x.why['rule']}] {x.why['text']}"
            for x in quote.layers
        ],
        "headings": [f"{x.heading} {x.amount}" for x in quote.headings],
        "considered": [f"{x.measure} {x.outcome}: {x.text}" for x in considered(law, line)],
    }


def main() -> None:
    """Write the snapshot."""
    text = yaml.safe_dump({name: told(line) for name, line in CASES.items()}, sort_keys=False, width=1000)
    SNAPSHOT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
