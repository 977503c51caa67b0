"""Expand the rows of a period into plain rows: row sets with parameters, copies of a period, rates by origin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tariffs.engine.law.known_names import check_known
from tariffs.engine.law.raw_fields import Raw, check_keys, fault, keys

ROW_KEYS = keys(
    "origins not_origins products and_products not_products if kind rate tiers price column base heading "
    "heading_at_zero split_heading undeclared by_origin known_from label"
)
_USE_KEYS, _COPY_KEYS = frozenset({"use", "with"}), frozenset({"copy", "set"})
_PARAMETER = re.compile(r"\$([a-z_]+)")

PlacedRow = tuple[str, Raw]
"""A plain row with its path."""


@dataclass(frozen=True)
class RowSources:
    """Rows that a period may take over: row sets by name, and the periods of its measure by label."""

    row_sets: Mapping[str, Sequence[Raw]]
    periods: Mapping[str, Any]


def expand_rows(
    raw: Any, sources: RowSources, path: str, within: tuple[str, ...] = ()
) -> Iterator[PlacedRow]:
    """Expand rows as written; `within` names the row sets and periods being expanded.

    Raises:
        LawError: LAW_INVALID with the path of the row.
        ScenarioError: NOTHING_MATCHED for an unknown row set, parameter or period, with the nearest names.
    """
    if isinstance(raw, Mapping):
        yield from _copy_rows(raw, sources, path, within)
        return
    if not isinstance(raw, list):
        raise fault(path, "a list of rows, or {copy: PERIOD, set: {...}}, is expected")
    for index, item in enumerate(raw):
        where = f"{path}[{index}]"
        if isinstance(item, Mapping) and "use" in item:
            yield from _use_row_set(item, sources, where, within)
            continue
        row = check_keys(item, ROW_KEYS, where)
        if "by_origin" not in row:
            yield where, row
            continue
        shared = {key: value for key, value in row.items() if key != "by_origin"}
        for origin, (rate, heading) in row["by_origin"].items():
            yield where, {**shared, "origins": origin, "rate": rate, "heading": heading}


def _use_row_set(raw: Raw, sources: RowSources, path: str, within: tuple[str, ...]) -> Iterator[PlacedRow]:
    """Expand `{use: ROW_SET, with: {PARAMETER: VALUE}}`; parameters are the `$names` in the rows of the set."""
    raw = check_keys(raw, _USE_KEYS, path)
    name, values = raw["use"], raw.get("with", {})
    check_known((name,), sources.row_sets, "row set", f"{path}.use")
    if name in within:
        raise fault(f"{path}.use", f"the row set {name!r} uses itself")
    rows = sources.row_sets[name]
    parameters = _parameters(rows)
    check_known(values, parameters, f"parameter of the row set {name}", f"{path}.with")
    for parameter in sorted(parameters - values.keys()):
        raise fault(f"{path}.with", f"the row set {name!r} needs a value of ${parameter}")
    place = f"{path}.{name}" if parameters else f"row_sets.{name}"
    yield from expand_rows(_fill(rows, values), sources, place, (*within, name))


def _parameters(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(_PARAMETER.findall(value))
    parts = value.values() if isinstance(value, Mapping) else value
    return frozenset[str]().union(*map(_parameters, parts))


def _fill(value: Any, values: Raw) -> Any:
    """Put values in place of `$names`; a list takes the place of a text that is one `$name`, or joins its list."""
    if isinstance(value, Mapping):
        return {key: _fill(part, values) for key, part in value.items()}
    if isinstance(value, list):
        filled = [_fill(part, values) for part in value]
        return [one for part in filled for one in (part if isinstance(part, list) else [part])]
    if _PARAMETER.fullmatch(value):
        return values[value[1:]]
    return _PARAMETER.sub(lambda found: str(values[found[1]]), value)


def _copy_rows(raw: Raw, sources: RowSources, path: str, within: tuple[str, ...]) -> Iterator[PlacedRow]:
    """Expand `{copy: PERIOD, set: {KEY: {OLD: NEW}}}`: the rows of another period with new values."""
    raw = check_keys(raw, _COPY_KEYS, path)
    label = raw.get("copy", "")
    check_known((label,), sources.periods, "period of this measure", f"{path}.copy")
    if label in within:
        raise fault(f"{path}.copy", f"the period {label!r} copies itself")
    rows = list(expand_rows(sources.periods[label], sources, path, (*within, label)))
    changes = check_keys(raw.get("set", {}), ROW_KEYS, f"{path}.set")
    for key, pairs in changes.items():
        if not isinstance(pairs, Mapping):
            raise fault(f"{path}.set.{key}", "a mapping {OLD: NEW} is expected")
        present = {value for _, row in rows for value in _listed(row.get(key, []))}
        check_known(pairs, present, f"{key} in the rows of {label}", f"{path}.set.{key}")
    for place, row in rows:
        yield place, {key: _replace(value, changes.get(key, {})) for key, value in row.items()}


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [one for one in value if isinstance(one, str)]


def _replace(value: Any, pairs: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_replace(one, pairs) for one in value]
    return pairs.get(value, value) if isinstance(value, str) else value
