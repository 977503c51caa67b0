"""Write CSV that people open: spreadsheets compute cells that begin with one of a few characters.

https://owasp.org/www-community/attacks/CSV_Injection. An apostrophe before such a text makes it text again.
"""

from __future__ import annotations

from contextvars import ContextVar

import polars as pl

_FORMULA = r"^([=+\-@\t\r])"
_GUARD = "'"
_FIRST = tuple("=+-@\t\r")
_RAW: ContextVar[bool] = ContextVar("raw_csv", default=False)


def leave_raw() -> None:
    """Write texts as they are from now on, for programs that read them."""
    _RAW.set(True)


def for_people(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame as it is written for people: guarded, unless `leave_raw` was called."""
    return frame if _RAW.get() else guarded(frame)


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts and column names no spreadsheet computes; numbers stay, and what is guarded."""
    texts = pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String)
    made = frame.with_columns(texts.str.replace(_FORMULA, _GUARD + "$1"))
    names = {name: _GUARD + name for name in frame.columns if name.startswith(_FIRST)}
    return made.rename(names)
