"""Reading the law's files into a `Law`, and its digest.

The files are read as text into one raw mapping (`read_raw`), which is checked and turned into values
(`law_from_raw`); the digest is SHA-256 over the canonical JSON of that mapping, so comments and layout do
not count.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tariffs.engine.errors import TariffsError
from tariffs.engine.law.events import SCENARIO_ONLY, Change, change_from_mapping
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import ListEntry, Measure, Membership, ProductList, Program
from tariffs.engine.law.read import (
    Context,
    Raw,
    check_keys,
    fault,
    list_day,
    read_measure,
    read_rule,
)
from tariffs.engine.law.read_facts import read_claim, read_one_switch, read_reference
from tariffs.engine.law.text import digits, read_day, read_instant, read_rate

HERE = Path(__file__).parent
_YAML_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_FILE_KEYS = frozenset({"row_sets", "measures", "events"})


def load_yaml(path: Path) -> Any:
    """A YAML file with every scalar as text."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_YAML_LOADER)


def read_raw(directory: Path = HERE) -> dict[str, Any]:
    """The law's files as one mapping of text."""
    raw: dict[str, Any] = {"row_sets": {}, "measures": [], "events": []}
    for path in sorted((directory / "measures").glob("*.yaml")):
        content = check_keys(load_yaml(path) or {}, _FILE_KEYS, path.name)
        raw["row_sets"].update(content.get("row_sets", {}))
        raw["measures"] += content.get("measures", [])
        raw["events"] += content.get("events", [])
    raw["version"] = load_yaml(directory / "version.yaml")
    raw["rules"] = load_yaml(directory / "stacking.yaml")["rules"]
    raw |= {
        key: value
        for key, value in load_yaml(directory / "claims.yaml").items()
        if key in {"claims", "terms"}
    }
    raw["switches"] = load_yaml(directory / "switches.yaml")["switches"]
    raw |= {
        key: value
        for key, value in load_yaml(directory / "groups.yaml").items()
        if key in {"groups", "programs"}
    }
    for name in ("fees", "authorities", "refunds", "exports", "port_fees", "port_calls", "constraints"):
        raw[name] = load_yaml(directory / f"{name}.yaml")
    raw["references"] = load_yaml(directory / "references.yaml")["references"]
    raw["retired"] = load_yaml(directory / "retired.yaml") or {}
    raw["lists"] = {p.stem.upper(): _read_list(p) for p in sorted((directory / "lists").glob("*.csv"))}
    return raw


def _read_list(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [[row["code"], row["from"], row["to"]] for row in csv.DictReader(file)]


def digest_of(raw: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of the raw law."""
    text = json.dumps(raw, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def load_law() -> Law:
    """The embedded law."""
    return law_from_raw(read_raw())


def load_law_from(directory: Path) -> Law:
    """The law of another directory of the same form."""
    return law_from_raw(read_raw(directory))


def law_from_raw(raw: Mapping[str, Any]) -> Law:
    """The law of a raw mapping; raises LawError LAW_INVALID with the path of what is wrong."""
    version = raw["version"]
    zones = {direction: ZoneInfo(name) for direction, name in version["clock"].items()}
    claims = {name: read_claim(name, item) for name, item in raw["claims"].items()}
    as_of = read_day(version["as_of"])
    first, last = (read_instant(version["coverage"][key], zones[IMPORT]) for key in ("from", "to"))
    law = Law(
        version=version["version"],
        as_of=as_of,
        coverage=(first, last),
        zones=zones,
        measures={},
        changes=(),
        rules=(),
        claims=claims,
        caps={term: read_rate(item["cap"]) for term, item in raw.get("terms", {}).items()},
        switches={name: read_one_switch(name, item) for name, item in raw.get("switches", {}).items()},
        groups={name: _read_group(item, zones[IMPORT]) for name, item in raw.get("groups", {}).items()},
        programs={
            name: Program(name, frozenset(item["members"]), item["claim"])
            for name, item in raw.get("programs", {}).items()
        },
        lists={name: _read_entries(rows, zones[IMPORT]) for name, rows in raw.get("lists", {}).items()},
        row_sets=raw.get("row_sets", {}),
        fees=raw.get("fees", {}),
        authorities=raw.get("authorities", {}),
        refunds=raw.get("refunds", {}),
        exports=raw.get("exports", {}),
        port_fees=raw.get("port_fees", ()),
        port_calls=raw.get("port_calls", ()),
        limits=raw.get("constraints", ()),
        references={name: read_reference(name, item) for name, item in raw.get("references", {}).items()},
        retired=raw.get("retired", {}),
        digest=digest_of(raw),
    )
    measures = _read_measures(raw["measures"], law)
    law = replace(law, measures=measures, changes=tuple(_read_changes(raw)))
    law = replace(law, rules=tuple(_read_rules(raw.get("rules", []), law.context(IMPORT))))
    _check_names(law)
    return law


def _read_group(item: Any, zone: ZoneInfo) -> tuple[Membership, ...]:
    def instant(part: Raw, key: str) -> datetime | None:
        return read_instant(part[key], zone) if part.get(key) else None

    parts = item if isinstance(item, list) else [item]
    return tuple(Membership(frozenset(p["members"]), instant(p, "from"), instant(p, "to")) for p in parts)


def _read_entries(rows: list[list[str]], zone: ZoneInfo) -> ProductList:
    return ProductList(
        [ListEntry(digits(code), list_day(start, zone), list_day(end, zone)) for code, start, end in rows]
    )


def _read_measures(raw: list[Raw], law: Law) -> dict[str, Measure]:
    measures: dict[str, Measure] = {}
    contexts: dict[str, Context] = {}
    for index, item in enumerate(raw):
        direction = item.get("direction", IMPORT)
        context = contexts.setdefault(direction, law.context(direction))
        measure = read_measure(item, context, f"measures[{index}]")
        if measure.id in measures:
            raise fault(measure.id, "two measures have this id")
        measures[measure.id] = measure
    return measures


def _read_changes(raw: Mapping[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for item in raw["measures"]:
        for index, event in enumerate(item.get("events", [])):
            selector = {"id": item["id"], **event.get("measures", {})}
            changes.append(_law_change({**event, "measures": selector}, f"{item['id']}.events[{index}]"))
    for index, event in enumerate(raw.get("events", [])):
        changes.append(_law_change(event, f"events[{index}]"))
    return changes


def _law_change(event: Raw, path: str) -> Change:
    try:
        change = change_from_mapping(event, path)
    except TariffsError as error:
        raise fault(error.field or path, error.message) from None
    if change.op in SCENARIO_ONLY:
        raise fault(
            path, f"{change.op} is a verb of scenarios; the law states such things in its other files"
        )
    return change


def _read_rules(raw: list[Raw], context: Context) -> list[Any]:
    return [read_rule(item, context, f"rules[{index}]") for index, item in enumerate(raw)]


def _check_names(law: Law) -> None:
    """Every name used in the law exists: measures, nodes, groups, lists, switches, claims."""
    for change in law.changes:
        if change.op not in {"announce"} and not law.selected(change):
            raise fault(change.path, "the selector matches no measure")
    for rule in law.rules:
        for name in (*rule.when, *rule.on, *rule.members):
            if name not in law.names:
                raise fault(rule.id, f"{name!r} is no measure or authority node")
    for path, switch in _switches_used(law):
        for name, value in switch.items():
            if name not in law.switches or value not in law.switches[name].values:
                raise fault(path, f"no switch {name!r} with the value {value!r}")
    for path, names in _lists_used(law):
        for name in names:
            if not name.isdigit() and name not in law.lists:
                raise fault(path, f"no list {name!r}")


def _switches_used(law: Law) -> list[tuple[str, Mapping[str, str]]]:
    used = [(measure.id, measure.switch) for measure in law.measures.values()]
    used += [(p.id, p.switch) for measure in law.measures.values() for p in measure.periods]
    used += [(change.path, change.switch) for change in law.changes]
    return used + [(rule.id, rule.switch) for rule in law.rules]


def _lists_used(law: Law) -> list[tuple[str, frozenset[str]]]:
    used: list[tuple[str, frozenset[str]]] = []
    for measure in law.measures.values():
        scopes = [row.scope for p in measure.periods for row in p.rows] + [measure.touches]
        for scope in scopes:
            used += [(measure.id, names) for names in (*scope.products, scope.not_products)]
    return used
