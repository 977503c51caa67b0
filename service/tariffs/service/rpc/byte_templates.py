"""Encoded messages with blanks where texts go.

For as long as no text gets longer or shorter, all that lies between the texts of an encoded message stays the same: the
fields' numbers, the lengths of the messages within it, the other fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

Fill = Callable[[Sequence[str]], Message]
# No field has the number that the second would stand for, so within an encoding they meet in texts alone.
_BEGIN, _PAD, _FIRST_DIGIT, _DIGITS = "\x01\x02", "\x02", 0x21, 90
_MARKED = re.compile(rb"\x01\x02([!-z][!-z])\x02*")


@dataclass(frozen=True, slots=True)
class Blanks:
    """An encoded message without its texts.

    Attributes:
        parts: what lies between the texts, with an empty place for each.
        places: which text goes where.
    """

    parts: list[bytes]
    places: list[int]

    def filled(self, texts: Sequence[bytes]) -> bytes:
        """The message with texts, each as long as the one it was laid out for."""
        parts = self.parts.copy()
        parts[1::2] = [texts[place] for place in self.places]
        return b"".join(parts)


def lay_out(fill: Fill, texts: Sequence[bytes]) -> tuple[bytes, Blanks | None]:
    """Encode a message.

    Args:
        fill: builds the message, given its texts.
        texts: some of them, of four characters at least.

    Returns:
        The encoded message, and its form with blanks; None if it holds what looks like a blank itself.
    """
    data = _encoded(fill, [text.decode() for text in texts])
    marked = _encoded(fill, [_mark(place, len(text)) for place, text in enumerate(texts)])
    parts = _MARKED.split(marked)
    blanks = Blanks(parts, [_place(found) for found in parts[1::2]])
    if max(blanks.places, default=-1) < len(texts) and blanks.filled(texts) == data:
        return data, blanks
    return data, None


def _encoded(fill: Fill, texts: Sequence[str]) -> bytes:
    return fill(texts).SerializeToString(deterministic=True)


def _mark(place: int, length: int) -> str:
    high, low = divmod(place, _DIGITS)
    return f"{_BEGIN}{chr(_FIRST_DIGIT + high)}{chr(_FIRST_DIGIT + low)}".ljust(length, _PAD)


def _place(mark: bytes) -> int:
    return (mark[0] - _FIRST_DIGIT) * _DIGITS + mark[1] - _FIRST_DIGIT
