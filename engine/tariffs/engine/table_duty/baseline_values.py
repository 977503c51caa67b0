"""Keep what is computed from the duties of a table at its baseline, since most runs over the table share them."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Law
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.tables.line_arrays import LineArrays

_KEPT = 8
"""Some 5 MB each for the embedded table."""


def kept_at_baseline(name: Hashable, lines: LineArrays, base: Duties, make: Callable[[], F64]) -> F64:
    """Return an array that is computed from the duties at the baseline; computed once for the lines of a table.

    Args:
        lines: the lines of the table; the array is not kept if the duties are those of other lines.
        base: the duties at the baseline.
    """
    if base.lines is not lines:
        return make()
    kept: BoundedCache[Hashable, tuple[F64, Law]]
    kept = lines.cache.setdefault("at the baseline", BoundedCache(_KEPT))
    # The value refers to the law, whose lists the key tells apart by identity. It must not refer to the duties: they
    # keep their family of laws in memory, which a later run replaces by a larger one.
    return kept.get((name, base.fingerprint), lambda: (make(), base.law))[0]
