"""Write a text that is not stored, such as that of a scenario, in an address, compressed, and read it back."""

from __future__ import annotations

import base64
import re
import zlib

from tariffs.client.errors import InvalidRequest
from tariffs.client.scenario import Scenario

MARK, _MOST_CHARACTERS = "~", 6000
_MOST_BYTES = 256 << 10
_TITLE = re.compile(r"^title: *(.+?) *$", re.MULTILINE)


def packed(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Write a text as a value in an address; empty if it would be longer than a link may be."""
    plain = text.encode()
    data = base64.urlsafe_b64encode(zlib.compress(plain, 9)).rstrip(b"=").decode()
    return MARK + data if len(data) < most and len(plain) < _MOST_BYTES else ""


def text_of(name: str, field: str = "s") -> str:
    """Read the text that `packed` wrote into a field; raises InvalidRequest if the address was cut or changed."""
    data, reader = name.removeprefix(MARK), zlib.decompressobj()
    try:
        text = reader.decompress(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)), _MOST_BYTES)
        if reader.eof:
            return text.decode()
    except (ValueError, zlib.error):
        pass
    raise InvalidRequest(
        "REQUEST_INVALID",
        f"The address does not hold the whole text of its {'scenario' if field == 's' else 'table'}.",
        field=field,
        fix="Copy the whole link.",
    )


def scenario_of(name: str) -> Scenario:
    """Make the scenario of a name: that of a packed text, of the library or of the server; never a file."""
    return Scenario.from_text(text_of(name), "the text") if name.startswith(MARK) else Scenario.named(name)


def title_of(name: str) -> str:
    """Name a scenario for readers: the title within a packed text, else its name."""
    if not name.startswith(MARK):
        return name
    try:
        found = _TITLE.search(text_of(name))
    except InvalidRequest:
        found = None
    return f"{found[1] if found else 'Your text'} (not saved)"
