"""HTS codes as people write them: dots, spaces and lost leading zeros read back into 4 to 10 digits."""

from __future__ import annotations

import re
from collections.abc import Callable

from tariffs.engine.errors import InputError

LENGTHS = (4, 6, 8, 10)
SEPARATORS = r"[.\s]"
_SEPARATOR = re.compile(SEPARATORS)


def parse_code(text: str, known: Callable[[str], bool] | None = None) -> tuple[str, str]:
    """An HTS code as digits, with a note on what was repaired (empty if nothing was).

    Args:
        text: the code as given, such as `8471.30.0100`.
        known: whether the schedule has a code. A code with an odd number of digits has lost its leading zero (a
            spreadsheet read it as a number); the zero is put back only if the result is known.

    Raises:
        InputError: HTS_CODE_MALFORMED.
    """
    bare = _SEPARATOR.sub("", text)
    if bare.isascii() and bare.isdigit():
        if len(bare) in LENGTHS:
            return bare, "" if bare == text else f"{text!r} was read as {bare}."
        padded = "0" + bare
        if len(padded) in LENGTHS and known is not None and known(padded):
            return padded, f"{text!r} had lost its leading zero and was read as {padded}."
    raise InputError(
        "HTS_CODE_MALFORMED",
        f"{text!r} is not an HTS code.",
        field="hts",
        fix="Give 4, 6, 8 or 10 digits, with or without dots.",
        metadata={"hts": text},
    )
