"""Refuse requests whose end a proxy in front could see at another place: RFC 9112, sections 2.2 and 6.1."""

from __future__ import annotations

import re
from typing import Any

from h11 import LocalProtocolError
from h11._receivebuffer import ReceiveBuffer

_BARE = re.compile(rb"(?<!\r)\n")
_END = b"\r\n\r\n"


class StrictLines(ReceiveBuffer):
    """Buffer of h11 whose lines end in CR LF; h11 itself takes a bare LF too."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines of a head or of trailers; None until they are complete.

        Raises:
            LocalProtocolError: a line ends in a bare LF, which h11 reports as an error of the peer.
        """
        end = 0 if self._data.startswith(b"\r\n") else self._data.find(_END)
        if _BARE.search(self._data, 0, len(self._data) if end < 0 else end):
            raise LocalProtocolError("a line ends in a bare line feed")
        lines: list[bytearray] | None = super().maybe_extract_lines()
        return lines


def has_two_lengths(headers: Any) -> bool:
    """Test whether a request declares its length in both ways; h11 would take the chunks and leave the other."""
    return {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}
