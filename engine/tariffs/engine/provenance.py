"""What a result needs so that it can be replayed: versions, digests, switches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from tariffs.engine.law.law import Law


@cache
def engine_version() -> str:
    """The installed version of the project."""
    try:
        return version("tariffs")
    except PackageNotFoundError:
        return "0+unknown"


def touched_switches(law: Law, measures: Iterable[str]) -> dict[str, str]:
    """The switches that measures, their periods, acts or the rules on them depend on, with their values."""
    wanted = set(measures)
    found: set[str] = set()
    for name in wanted:
        measure = law.measures[name]
        found |= measure.switch.keys()
        for period in measure.periods:
            found |= period.switch.keys()
        for act in law.acts[name]:
            found |= act.change.switch.keys()
    for rule in law.rules:
        if rule.switch and any(_named(law, name, (*rule.on, *rule.members)) for name in wanted):
            found |= rule.switch.keys()
    return {name: law.setting(name) for name in sorted(found)}


def _named(law: Law, measure: str, selectors: tuple[str, ...]) -> bool:
    return measure in selectors or any(parent in selectors for parent in law.measures[measure].parents)


def digest_of(value: Mapping[str, object]) -> str:
    """SHA-256 of the canonical JSON of a mapping of plain values."""
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
