"""Compare the values of the law with those of another version of its files: form may change, meaning may not.

`python -m tests.compat.law_values --write FILE` records measures, rules, acts, claims and reference shares with every
country group spelled out; `python -m tests.compat.law_values FILE` compares the law now with such a record.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from tariffs.engine.law import Law, load_law
from tariffs.engine.law.model import Membership

Groups = Mapping[str, tuple[Membership, ...]]
ORIGINS = frozenset({"origins", "not_origins"})


def law_values(law: Law) -> dict[str, Any]:
    """Measures with periods and rows, acts by measure, rules, claims and reference shares as plain values."""
    parts: dict[str, Mapping[str, Any]] = {
        "measures": law.measures,
        "acts": law.acts,
        "rules": {rule.id: rule for rule in law.rules},
        "claims": law.claims,
        "references": law.references,
    }
    groups = {name: dated for name, dated in law.groups.items() if len(dated) == 1 and dated[0].start is None}
    return {part: {name: plain(one, groups) for name, one in found.items()} for part, found in parts.items()}


def plain(value: Any, groups: Groups) -> Any:
    """Turn a value into lists, mappings and texts, with the names of groups replaced by their members."""
    if is_dataclass(value):
        return {
            one.name: (
                _countries(getattr(value, one.name), groups)
                if one.name in ORIGINS
                else plain(getattr(value, one.name), groups)
            )
            for one in fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(part, groups) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part, groups) for part in value]
    if isinstance(value, frozenset | set):
        return sorted(str(part) for part in value)
    return value if value is None or isinstance(value, bool | int) else str(value)


def _countries(origins: Any, groups: Groups) -> Any:
    if isinstance(origins, tuple):
        return [_countries(one, groups) for one in origins]
    if not isinstance(origins, frozenset):
        return plain(origins, groups)
    return sorted({name for one in origins for name in _members(one, groups)})


def _members(name: str, groups: Groups) -> frozenset[str]:
    return groups[name][0].members if name in groups else frozenset({name})


def differences(before: Any, now: Any, path: str = "") -> list[str]:
    """List the paths at which two plain values differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        found = [f"{path}.{key} is in one only" for key in sorted(before.keys() ^ now.keys())]
        for key in before.keys() & now.keys():
            found += differences(before[key], now[key], f"{path}.{key}")
        return found
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [text for index, pair in pairs for text in differences(*pair, f"{path}[{index}]")]
    return [] if before == now else [f"{path}: {str(before)[:200]} -> {str(now)[:200]}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Record or compare; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.compat.law_values", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record the law as it is now")
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    now = json.loads(json.dumps(law_values(load_law())))
    if given.write:
        given.file.write_text(json.dumps(now), encoding="utf-8")
        return 0
    found = differences(json.loads(given.file.read_text(encoding="utf-8")), now)
    rows = sum(len(p["rows"]) for m in now["measures"].values() for p in m["periods"])
    sys.stdout.write("\n".join([*found[:40], f"{len(found)} differences over {rows} rows\n"]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
