"""A cache keeps its latest values, and a brief one none while its process waits for work."""

from __future__ import annotations

from tariffs.engine.base.bounded_cache import BoundedCache, brief, clear_brief
from tariffs.engine.law import load_law
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.engine.table_duty.rated_lines import parts_of
from tariffs.engine.tables.prepare import prepare_table


def test_only_brief_caches_are_emptied() -> None:
    lasting: BoundedCache[str, int] = BoundedCache(2)
    short: BoundedCache[str, int] = brief(BoundedCache(2))
    for cache in (lasting, short):
        cache.keep("a", 1)
    clear_brief()
    assert (lasting.find("a"), short.find("a")) == (1, None)
    assert short.get("a", lambda: 2) == 2


def test_the_parts_of_lines_are_kept_between_laws_until_their_process_waits() -> None:
    law = load_law()
    lines = prepare_table(reference_table().head(50), law).lines
    before = parts_of(law, lines)
    assert parts_of(law, lines) is before
    clear_brief()
    after = parts_of(law, lines)
    assert after is not before
    assert (after == before).all()
