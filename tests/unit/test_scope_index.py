"""The index of scopes of a law: what contains a code, and what is beside it, as lists come and go."""

import pytest

from tariffs.engine.law.law import InForce
from tariffs.engine.law.model import Scope
from tariffs.engine.line_duty import scope_index
from tariffs.engine.line_duty.scope_index import CodeSets, ScopeIndex


def scope(*names: str, without: tuple[str, ...] = ()) -> Scope:
    return Scope(products=(frozenset(names),), not_products=frozenset(without))


def index_of(lists: dict[str, tuple[str, ...]], *scopes: Scope) -> ScopeIndex:
    return ScopeIndex(InForce((), (), (), {}, lists), scopes)


def found(index: ScopeIndex, reach: int) -> set[Scope]:
    return {one for one, bit in index.bits.items() if reach & bit}


def test_a_list_is_that_of_its_law_whatever_other_laws_call_so() -> None:
    of_list, of_code = scope("metals"), scope("7208")
    first = index_of({"metals": ("7206", "720712")}, of_list, of_code)
    second = index_of({"metals": ("7208",)}, of_list, of_code)
    assert found(first, first.of_code("7207120010")) == {of_list}
    assert found(second, second.of_code("7207120010")) == set()
    assert found(first, first.of_code("7208100000")) == {of_code}
    assert found(second, second.of_code("7208100000")) == {of_list, of_code}


def test_empty_lists_are_in_no_scope_and_leave_the_others_alone() -> None:
    nothing, some = scope("empty", "gone"), scope("empty", "gone", "metals")
    index = index_of(
        {"empty": (), "gone": (), "metals": ("7206",), "other": ("0101",)}, nothing, some, scope("other")
    )
    assert found(index, index.of_code("7206900000")) == {some}
    assert found(index, index.of_code("0101210010")) == {scope("other")}


def test_too_many_sets_are_begun_anew_and_older_indexes_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CodeSets, "_shared", None)
    monkeypatch.setattr(scope_index, "_SETS_AT_MOST", 2)
    indexes = [index_of({name: (f"72{place:02}",)}, scope(name)) for place, name in enumerate("abcdefg")]
    for place, (name, index) in enumerate(zip("abcdefg", indexes, strict=True)):
        assert found(index, index.of_code(f"72{place:02}100000")) == {scope(name)}
