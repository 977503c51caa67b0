"""Byte templates: encoded messages with placeholders for texts.

As long as no text changes its length, the bytes between the texts of an encoded message stay the same: field numbers,
lengths of nested messages, other fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

Fill = Callable[[Sequence[str]], Message]
# No field has the number that the second byte would encode, so both bytes together occur in texts only.
_BEGIN, _PAD, _FIRST_DIGIT, _DIGITS = "\x01\x02", "\x02", 0x21, 90
_MARKED = re.compile(rb"\x01\x02([!-z][!-z])\x02*")


@dataclass(frozen=True, slots=True)
class ByteTemplate:
    """An encoded message without its texts.

    Attributes:
        parts: the bytes between the texts, with an empty element for each text.
        places: the index of the text for each empty element.
    """

    parts: list[bytes]
    places: list[int]

    def fill(self, texts: Sequence[bytes]) -> bytes:
        """Return the message with texts, each as long as the original one."""
        parts = self.parts.copy()
        parts[1::2] = [texts[place] for place in self.places]
        return b"".join(parts)


def make_template(fill: Fill, texts: Sequence[bytes]) -> tuple[bytes, ByteTemplate | None]:
    """Encode a message and make its template.

    Args:
        fill: builds the message from its texts.
        texts: the texts, each of at least four characters.

    Returns:
        The encoded message and its template; None for the template if the message itself holds a placeholder.
    """
    data = _encoded(fill, [text.decode() for text in texts])
    marked = _encoded(fill, [_mark(place, len(text)) for place, text in enumerate(texts)])
    parts = _MARKED.split(marked)
    template = ByteTemplate(parts, [_place(mark) for mark in parts[1::2]])
    if max(template.places, default=-1) < len(texts) and template.fill(texts) == data:
        return data, template
    return data, None


def _encoded(fill: Fill, texts: Sequence[str]) -> bytes:
    return fill(texts).SerializeToString(deterministic=True)


def _mark(place: int, length: int) -> str:
    high, low = divmod(place, _DIGITS)
    return f"{_BEGIN}{chr(_FIRST_DIGIT + high)}{chr(_FIRST_DIGIT + low)}".ljust(length, _PAD)


def _place(mark: bytes) -> int:
    return (mark[0] - _FIRST_DIGIT) * _DIGITS + mark[1] - _FIRST_DIGIT
