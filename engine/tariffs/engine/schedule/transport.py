"""Read modes of transport: ocean, air or land, by the words and the codes of customs papers.

Codes are those of the mode of transport in the instructions of CBP Form 7501: 10 and 11 vessel, 20 and 21 rail, 30 to
34 road, 40 and 41 air. Others, such as 12 (border crossing by water) and 50 (mail), are none of the three.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "ocean": "ocean 10 11 sea vessel ship maritime",
    "air": "air 40 41 aircraft airplane plane",
    "land": "land 20 21 30 31 32 33 34 truck rail train road",
}
MODES = tuple(_NAMES)
_BY_NAME = {name: mode for mode, names in _NAMES.items() for name in names.split()}


def find_mode(text: str) -> str:
    """Find the mode of transport with a name or code; empty if there is none."""
    return _BY_NAME.get(text.strip().casefold(), "")
