"""Load the law's files into a `Law`, and compute its digest.

The files are read as text into one raw mapping (`read_raw`), which is checked and turned into values
(`law_from_raw`); the digest is SHA-256 over the canonical JSON of that mapping, so comments and layout do
not count.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tariffs.engine.errors import LawError, TariffsError
from tariffs.engine.law.amendments import SCENARIO_ONLY, Change, change_from_mapping
from tariffs.engine.law.commitments import read_quantity_rules
from tariffs.engine.law.fee_tables import (
    read_fees,
    read_port_calls,
    read_port_fees,
    read_refunds,
)
from tariffs.engine.law.known_names import Names
from tariffs.engine.law.law import CONTROL, EXPORT, IMPORT, Law
from tariffs.engine.law.markets import read_markets
from tariffs.engine.law.model import Measure, Membership, ProductList, Program
from tariffs.engine.law.name_checks import check_names, name_faults
from tariffs.engine.law.raw_fields import Context, Raw, check_keys, fault
from tariffs.engine.law.read import list_day, read_claim, read_measure, read_reference, read_rule, read_switch
from tariffs.engine.law.values import CODE, digits, is_code, read_day, read_instant, read_rate
from tariffs.engine.schedule.countries import origin_codes

HERE = Path(__file__).parent / "data"
_SEPARATOR = "\n"
_FILE_KEYS = frozenset({"row_sets", "measures", "events"})
# The file of each part beside the measures, by the head of its paths.
_FILES = {
    **{
        name: f"{name}.yaml"
        for name in (
            *("version", "switches", "references", "claims", "groups", "fees", "authorities", "refunds"),
            *("port_fees", "port_calls", "constraints", "retired"),
        )
    },
    "terms": "claims.yaml",
    "programs": "groups.yaml",
    "rules": "stacking.yaml",
    "lists": "lists",
}


class _Composer(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc] # the base is found at run time
    """Reader of the nodes of a YAML text without their types, which take most of the time and are all text here."""

    def resolve(self, kind: type, value: str | None, implicit: tuple[bool, bool] | bool) -> str:
        return ""

    def descend_resolver(self, current_node: yaml.Node | None, current_index: yaml.Node | int | None) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


def load_yaml(path: Path) -> Any:
    """Read a YAML file with every scalar as text; raises yaml.YAMLError."""
    with path.open(encoding="utf-8") as file:
        composer = _Composer(file)
        try:
            node = composer.get_single_node()
        finally:
            composer.dispose()
    return None if node is None else _plain(node, ())


def _plain(node: yaml.Node, around: tuple[yaml.Node, ...]) -> Any:
    """Turn a node into text, a list or a mapping; `around` are the nodes it is in."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if node in around:
        raise yaml.constructor.ConstructorError(None, None, "a node contains itself", node.start_mark)
    inside = (*around, node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, inside) for item in node.value]
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
    return {key.value: _plain(value, inside) for key, value in node.value}


def read_raw(directory: Path = HERE) -> dict[str, Any]:
    """Read the law's files as one mapping of text."""
    raw: dict[str, Any] = {"row_sets": {}, "measures": [], "events": [], "files": dict(_FILES)}
    for path in sorted((directory / "measures").glob("*.yaml")):
        content = check_keys(load_yaml(path) or {}, _FILE_KEYS, path.name)
        _note_file(raw, content, f"measures/{path.name}")
        for name in content.get("row_sets", {}).keys() & raw["row_sets"].keys():
            raise fault(f"row_sets.{name}", "two files have a row set of this name")
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
    for name in ("fees", "authorities", "refunds", "port_fees", "port_calls", "constraints"):
        raw[name] = load_yaml(directory / f"{name}.yaml")
    raw["markets"] = {
        path.stem: _read_market(path) for path in sorted((directory / "markets").glob("*.yaml"))
    }
    raw["files"] |= {f"markets.{name}": f"markets/{name}.yaml" for name in raw["markets"]}
    raw["references"] = load_yaml(directory / "references.yaml")["references"]
    raw["retired"] = load_yaml(directory / "retired.yaml") or {}
    raw["lists"] = {p.stem.upper(): _read_list(p) for p in sorted((directory / "lists").glob("*.csv"))}
    return raw


def _note_file(raw: Raw, content: Raw, file: str) -> None:
    """Record the file of the measures, row sets and events of some content, by the head of their paths."""
    files = raw["files"]
    files |= {f"row_sets.{name}": file for name in content.get("row_sets", {})}
    files |= {f"measures.{item.get('id')}": file for item in content.get("measures", [])}
    first = len(raw["events"])
    files |= {f"events[{first + n}]": file for n in range(len(content.get("events", [])))}


def _read_market(path: Path) -> dict[str, Any]:
    """Read the file of a market, with the lines of its schedule, if it has any, as text."""
    lines = path.with_name(f"{path.stem}_lines.csv")
    return {**load_yaml(path), **({"lines": lines.read_text(encoding="utf-8")} if lines.exists() else {})}


def _read_list(path: Path) -> list[Sequence[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        head = next(rows)
        columns = itemgetter(*(head.index(name) for name in ("code", "from", "to")))
        return [columns(row) for row in rows if row]


def digest_of(raw: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of the raw law, whatever its files are."""
    data = {name: part for name, part in raw.items() if name != "files"}
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def load_law() -> Law:
    """Load the embedded law."""
    return law_from_raw(read_raw())


def law_from_raw(raw: Mapping[str, Any], origins: frozenset[str] | None = None) -> Law:
    """Read the law of a raw mapping.

    Args:
        raw: the law as `read_raw` gives it.
        origins: the codes of all countries; those of ISO 3166-1 if None.

    Raises:
        LawError: LAW_INVALID with the file and the path of what is wrong.
    """
    try:
        law = _without_measures(raw, origin_codes() if origins is None else origins)
        law = _with_measures(law, raw, _read_measures(raw["measures"], law))
        check_names(law)
        return law
    except TariffsError as error:
        raise _in_file(error, raw.get("files", {})) from error


def law_faults(raw: Mapping[str, Any]) -> tuple[Law | None, list[TariffsError]]:
    """Read the law of a raw mapping as far as it goes: the law, or None, and everything wrong with it.

    Errors of one measure hide no errors of others, but names are checked only if every measure reads.
    """
    faults: list[TariffsError] = []
    try:
        law = _without_measures(raw, origin_codes())
        measures = _read_measures(raw["measures"], law, faults)
        if faults:
            return None, faults
        law = _with_measures(law, raw, measures)
        return law, list(name_faults(law))
    except TariffsError as error:
        return None, [*faults, error]


def file_of(path: str, files: Mapping[str, str]) -> str:
    """Find the file of a path of the raw law; empty if it is of none."""
    heads = [head for head in files if path == head or path.startswith((f"{head}.", f"{head}["))]
    return files.get(max(heads, key=len, default=""), "")


def message_of(error: TariffsError) -> str:
    """The message of an error without its path."""
    return error.message.removeprefix(f"{error.field}: ")


def _in_file(error: TariffsError, files: Mapping[str, str]) -> LawError:
    """Put the file and the path an error points to before its message."""
    path = error.field or ""
    place = ": ".join(filter(None, (file_of(path, files), path)))
    message = f"{place}: {message_of(error)}"
    return LawError("LAW_INVALID", message, field=path, fix=error.fix, metadata=error.metadata)


def _without_measures(raw: Mapping[str, Any], origins: frozenset[str]) -> Law:
    version = raw["version"]
    markets, home = read_markets(raw.get("markets", {}))
    zones = {direction: ZoneInfo(name) for direction, name in version.get("clock", {}).items()}
    zones |= {IMPORT if code == home else code: market.zone for code, market in markets.items()}
    switches = {name: read_switch(name, item) for name, item in raw.get("switches", {}).items()}
    retired_switches = raw.get("retired", {}).get("switches", {})
    names = Names(
        origins | raw.get("groups", {}).keys(),
        frozenset(raw.get("lists", {})),
        {name: switch.values for name, switch in switches.items()},
        retired_switches,
    )
    claims = {name: read_claim(name, item, names) for name, item in raw["claims"].items()}
    as_of = read_day(version["as_of"])
    first, last = (read_instant(version["coverage"][key], zones[IMPORT]) for key in ("from", "to"))
    return Law(
        version=version["version"],
        as_of=as_of,
        read_to=read_day(version["read_to"]) if "read_to" in version else as_of,
        coverage=(first, last),
        zones=zones,
        measures={},
        changes=(),
        rules=(),
        claims=claims,
        caps={term: read_rate(item["cap"]) for term, item in raw.get("terms", {}).items()},
        switches=switches,
        groups={name: _read_group(item, zones[IMPORT]) for name, item in raw.get("groups", {}).items()},
        programs={
            name: Program(name, frozenset(item["members"]), item["claim"])
            for name, item in raw.get("programs", {}).items()
        },
        lists={name: _read_entries(name, rows, zones[IMPORT]) for name, rows in raw.get("lists", {}).items()},
        row_sets=raw.get("row_sets", {}),
        fees=read_fees(raw.get("fees", {})),
        authorities=raw.get("authorities", {}),
        refunds=read_refunds(raw.get("refunds", {})),
        markets={code: market for code, market in markets.items() if code != home},
        destination=version.get("destination", EXPORT),
        port_fees=read_port_fees(raw.get("port_fees", ()), zones[IMPORT]),
        port_calls=read_port_calls(raw.get("port_calls", ())),
        limits=read_quantity_rules(
            raw.get("constraints", ()), zones.get(CONTROL, zones[IMPORT]), version.get("destination", EXPORT)
        ),
        references={
            name: read_reference(name, item, names) for name, item in raw.get("references", {}).items()
        },
        retired=raw.get("retired", {}).get("measures", {}),
        retired_switches=retired_switches,
        retired_lists=raw.get("retired", {}).get("lists", {}),
        origins=origins,
        digest=digest_of(raw),
    )


def _with_measures(law: Law, raw: Mapping[str, Any], measures: Mapping[str, Measure]) -> Law:
    rules = tuple(_read_rules(raw.get("rules", []), law.context(IMPORT)))
    return replace(law, measures=measures, changes=tuple(_read_changes(raw)), rules=rules)


def _read_group(item: Any, zone: ZoneInfo) -> tuple[Membership, ...]:
    def instant(part: Raw, key: str) -> datetime | None:
        return read_instant(part[key], zone) if part.get(key) else None

    parts = item if isinstance(item, list) else [item]
    return tuple(Membership(frozenset(p["members"]), instant(p, "from"), instant(p, "to")) for p in parts)


def _read_entries(name: str, rows: Sequence[Sequence[str]], zone: ZoneInfo) -> ProductList:
    # The law has some 60,000 rows, nearly all without days, and is loaded for a single quote too.
    codes = digits(_SEPARATOR.join(code for code, _, _ in rows)).split(_SEPARATOR) if rows else []
    if not all(map(CODE.fullmatch, codes)) or len(codes) != len(rows):
        wrong = next(code for code, _, _ in rows if not is_code(code))
        raise fault(f"lists.{name}", f"{wrong!r} is not an HTS code")
    days = {
        place: (list_day(start, zone), list_day(end, zone))
        for place, (_, start, end) in enumerate(rows)
        if start or end
    }
    return ProductList(codes, days)


def _read_measures(raw: list[Raw], law: Law, faults: list[TariffsError] | None = None) -> dict[str, Measure]:
    """Read all measures; errors go to `faults`, or are raised without it."""
    measures: dict[str, Measure] = {}
    contexts: dict[str, Context] = {}
    for index, item in enumerate(raw):
        path = _path("measures", item, index)
        try:
            market = law.fixed.market_named(item, path)
            context = contexts.setdefault(market, law.context(market))
            measure = read_measure(item, context, path)
            if measure.id in measures:
                raise fault(path, "two measures have this id")
            measures[measure.id] = measure
        except TariffsError as error:
            if faults is None:
                raise
            faults.append(error)
    return measures


def _read_changes(raw: Mapping[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for item in raw["measures"]:
        for index, event in enumerate(item.get("events", [])):
            selector = {"id": item["id"], **event.get("measures", {})}
            changes.append(
                _law_change({**event, "measures": selector}, f"measures.{item['id']}.events[{index}]")
            )
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
    return [read_rule(item, context, _path("rules", item, index)) for index, item in enumerate(raw)]


def _path(part: str, item: Raw, index: int) -> str:
    """The path of an item of a list, by its id, which a reader can search for."""
    return f"{part}.{item['id']}" if item.get("id") else f"{part}[{index}]"
