"""Parse HTS codes as people and spreadsheets write them: dots, spaces, hyphens, lost zeros, numbers with a fraction."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable

from tariffs.engine.errors import InputError

LENGTHS = (4, 6, 8, 10)
HEADING_DIGITS = 4
SEPARATORS = r"[.\s-]"
_GROUPS = re.compile(rf"[0-9]+(?:{SEPARATORS}+[0-9]+)*")
_SEPARATOR = re.compile(rf"{SEPARATORS}+")
_ELEVEN = re.compile(r"[0-9]{11}")
_FRACTION = re.compile(r"([0-9]+)\.0+")


def parse_code(
    text: str, known: Callable[[str], bool] | None = None, lines: Container[str] = ()
) -> tuple[str, str]:
    """Parse an HTS code as digits, with a note on the repair (empty if only dots and spaces were dropped).

    Args:
        text: the code as given, such as `8471.30.0100`. Dots and hyphens separate groups of an even number of
            digits; the dot of `9012100.0` is a decimal point, and the fraction is dropped.
        known: tests whether the schedule has a code. A code whose first group is one digit short has lost its leading
            zero (a spreadsheet read it as a number); the zero is restored only if the result is known.
        lines: lines of other schedules, of any number of digits, which are taken as they are.

    Raises:
        InputError: HTS_CODE_MALFORMED.
    """
    if len(text) in LENGTHS and text.isascii() and text.isdigit():
        return text, ""
    bare = text.strip().rstrip(".")
    if (digits := _SEPARATOR.sub("", bare)) in lines:
        return digits, ""
    if _GROUPS.fullmatch(bare):
        groups = _SEPARATOR.split(bare)
        code = _joined(groups, known)
        if code:
            return code, "" if code == "".join(groups) else _lost_zero(text, code)
        fraction = _FRACTION.fullmatch(bare)
        number = _joined([fraction[1]], known) if fraction else ""
        if fraction and number:
            note = f"{text!r} is a number with a fraction and was read as {number}."
            return number, note if number == fraction[1] else f"{note} {_lost_zero(text, number)}"
    raise InputError(
        "HTS_CODE_MALFORMED",
        f"{text!r} is not an HTS code.",
        field="hts",
        fix=f"Give 4, 6, 8 or 10 digits, with or without dots.{_hint(bare, known)}",
        metadata={"hts": text},
    )


def unknown_code(message: str, nearest: Iterable[str]) -> InputError:
    """Build the error for a code that a schedule does not have, with the codes most similar to it."""
    near = ", ".join(nearest)
    return InputError(
        "HTS_CODE_UNKNOWN", message, field="hts", fix=f"Nearest codes: {near}.", metadata={"nearest": near}
    )


def _joined(groups: list[str], known: Callable[[str], bool] | None) -> str:
    """Join groups of digits to a code and restore its leading zero; empty if they are no code."""
    first, *others = groups
    code = "".join(groups)
    if any(len(group) % 2 for group in others):
        return ""
    if len(first) % 2 == 0:
        return code if len(code) in LENGTHS else ""
    whole = len(first) == HEADING_DIGITS - 1 or not others
    padded = "0" + code
    return padded if whole and len(padded) in LENGTHS and known is not None and known(padded) else ""


def _hint(bare: str, known: Callable[[str], bool] | None) -> str:
    """Sentence on a text of eleven digits, which some exports write: a check digit after the code, or a zero before it.

    It is not read so, because a digit too many may as well be a typing error within the code.
    """
    digits = _SEPARATOR.sub("", bare)
    if known is None or not _ELEVEN.fullmatch(digits):
        return ""
    codes = sorted(
        {code for code in (digits[:-1], digits.removeprefix("0")) if len(code) < len(digits) and known(code)}
    )
    return (
        f" These are eleven; with a check digit or a zero too many it is {' or '.join(codes)}."
        if codes
        else ""
    )


def _lost_zero(text: str, code: str) -> str:
    return f"{text!r} had lost its leading zero and was read as {code}."
