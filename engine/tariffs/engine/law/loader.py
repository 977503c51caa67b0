"""Load the law's files into a `Law`, and compute its digest.

The files are read as text into one raw mapping (`files.read_raw`), which is checked and turned into values
(`law_from_raw`); the digest is SHA-256 over the canonical JSON of that mapping, so comments and layout do
not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from tariffs.engine.base.snapshot import files_digest, kept_json
from tariffs.engine.errors import LawError, TariffsError
from tariffs.engine.law.amendments import SCENARIO_ONLY, Change, change_from_mapping
from tariffs.engine.law.commitments import read_quantity_rules
from tariffs.engine.law.fee_tables import (
    read_fees,
    read_port_calls,
    read_port_fees,
)
from tariffs.engine.law.files import read_raw
from tariffs.engine.law.known_names import Names
from tariffs.engine.law.law import CONTROL, EXPORT, IMPORT, Law
from tariffs.engine.law.line_notes import read_line_notes, read_refused_origins
from tariffs.engine.law.markets import read_markets
from tariffs.engine.law.model import Measure, Membership, Program
from tariffs.engine.law.name_checks import check_names, name_faults
from tariffs.engine.law.product_lists import read_lists
from tariffs.engine.law.raw_fields import Context, Raw, fault
from tariffs.engine.law.read import read_claim, read_measure, read_reference, read_rule, read_switch
from tariffs.engine.law.refund_terms import read_refunds
from tariffs.engine.law.values import digits, read_day, read_instant, read_rate
from tariffs.engine.schedule.countries import origin_codes

# What makes the raw mapping and its digest of the files.
_READERS = tuple(f"law/{name}.py" for name in ("files", "yaml_texts", "loader", "raw_fields", "documents"))


def digest_of(raw: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of the raw law, whatever its files are."""
    data = {name: part for name, part in raw.items() if name != "files"}
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def load_law() -> Law:
    """Load the embedded law."""
    raw, digest = kept_json("law", files_digest("law/data/**/*.*", *_READERS), _raw_and_digest)
    return law_from_raw(raw, digest=digest)


def _raw_and_digest() -> list[Any]:
    raw = read_raw()
    return [raw, digest_of(raw)]


def law_from_raw(raw: Mapping[str, Any], origins: frozenset[str] | None = None, digest: str = "") -> Law:
    """Read the law of a raw mapping.

    Args:
        origins: the codes of all countries; those of ISO 3166-1 if None.
        digest: its `digest_of`, if that is known.

    Raises:
        LawError: LAW_INVALID with the file and the path of what is wrong.
    """
    try:
        law = _without_measures(raw, origin_codes() if origins is None else origins, digest)
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


def _without_measures(raw: Mapping[str, Any], origins: frozenset[str], digest: str = "") -> Law:
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
        lists=read_lists(raw.get("lists", {}), raw.get("list_changes", ()), zones[IMPORT]),
        row_sets=raw.get("row_sets", {}),
        fees=read_fees(raw.get("fees", {})),
        authorities=raw.get("authorities", {}),
        refunds=read_refunds(raw.get("refunds", {})),
        markets={code: market for code, market in markets.items() if code != home},
        destination=version.get("destination", EXPORT),
        home=home,
        port_fees=read_port_fees(raw.get("port_fees", ()), zones[IMPORT]),
        port_calls=read_port_calls(raw.get("port_calls", ())),
        limits=read_quantity_rules(
            raw.get("constraints", ()), zones.get(CONTROL, zones[IMPORT]), version.get("destination", EXPORT)
        ),
        references={
            name: read_reference(name, item, names) for name, item in raw.get("references", {}).items()
        },
        refused_origins=read_refused_origins(raw.get("refused_origins", {})),
        retired=raw.get("retired", {}).get("measures", {}),
        retired_switches=retired_switches,
        retired_lists=raw.get("retired", {}).get("lists", {}),
        retired_codes=frozenset(map(digits, raw.get("retired", {}).get("codes", ()))),
        origins=origins,
        digest=digest or digest_of(raw),
    )


def _with_measures(law: Law, raw: Mapping[str, Any], measures: Mapping[str, Measure]) -> Law:
    rules = tuple(_read_rules(raw.get("rules", []), law.context(IMPORT)))
    notes = read_line_notes(raw.get("line_notes", ()), law.context(IMPORT))
    changes = tuple(_read_changes(raw))
    return replace(law, measures=measures, changes=changes, rules=rules, line_notes=notes)


def _read_group(item: Any, zone: ZoneInfo) -> tuple[Membership, ...]:
    def instant(part: Raw, key: str) -> datetime | None:
        return read_instant(part[key], zone) if part.get(key) else None

    parts = item if isinstance(item, list) else [item]
    return tuple(Membership(frozenset(p["members"]), instant(p, "from"), instant(p, "to")) for p in parts)


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
