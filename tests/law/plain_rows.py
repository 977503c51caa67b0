"""Spell out the rows of a period from the raw law: a second reading of `use`, `with`, `copy` and `set`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

Raw = dict[str, Any]
Found = TypeVar("Found")


class Unchanged(Raw):
    """Raw law that nobody changes, so that what is found in it once need not be sought again."""

    kept: dict[Hashable, Any]


def once(law: Mapping[str, Any], key: Hashable, find: Callable[[], Found]) -> Found:
    """What `find` gives, sought once for each key in a law that is unchanged."""
    if not isinstance(law, Unchanged):
        return find()
    if key not in law.kept:
        law.kept[key] = find()
    found: Found = law.kept[key]
    return found


def plain_rows(rows: Any, law: Mapping[str, Any], measure: Raw) -> Iterator[Raw]:
    """The rows without row sets and copies; tables by origin stay as they are."""
    if isinstance(rows, dict):
        (source,) = (one["rows"] for one in measure["periods"] if one["id"] == rows["copy"])
        for row in plain_rows(source, law, measure):
            yield {key: _renamed(value, rows.get("set", {}).get(key, {})) for key, value in row.items()}
        return
    for row in rows:
        if "use" in row:
            yield from plain_rows(_filled(law["row_sets"][row["use"]], row.get("with", {})), law, measure)
        else:
            yield row


def _renamed(value: Any, pairs: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, pairs) for one in value]
    return pairs.get(value, value) if isinstance(value, str) else value


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, values) for key, one in value.items()}
    if isinstance(value, list):
        filled = [_filled(one, values) for one in value]
        return [part for one in filled for part in (one if isinstance(one, list) else [one])]
    for name in sorted(values, key=len, reverse=True):
        if value == f"${name}":
            return values[name]
        value = value.replace(f"${name}", str(values[name]))
    return value
