"""Compare two releases of the tariff schedule with the law, and write a draft of law data for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tariffs.engine.law import load_law
from tariffs.engine.law.model import IMPORT
from tariffs.engine.line_duty.entry_dates import covered_moment, local_time
from tariffs.engine.validation.schedule_intake.draft import take_in, write_draft
from tariffs.engine.validation.schedule_intake.releases import read_release


def take_in_files(old: Path, new: Path, directory: Path, on: str = "") -> dict[str, Any]:
    """Compare two releases with each other and with the law of a day, and write the draft into a new folder.

    Args:
        old, new: exports of the USITC, JSON or CSV.
        directory: folder of the draft, which must not be there.
        on: day of the law; its last day if empty.

    Returns:
        The intake as JSON has it.

    Raises:
        InputError: TABLE_UNREADABLE for a file that is no export, ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE.
    """
    law = load_law()
    day = local_time(covered_moment(law, on or law.as_of, "on").instant, law.zones[IMPORT]).day
    found = take_in(read_release(old), read_release(new), law, day)
    write_draft(found, directory)
    return found.to_dict()
