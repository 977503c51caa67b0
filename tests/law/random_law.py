"""Random laws in the text form of docs/law-data.md, so that engine and interpreter read the same words.

A seed names a law; everything is drawn from a small world (few codes, origins and instants) so that scopes overlap
and acts fall on the same moment often.
"""

from __future__ import annotations

from tests.law.random_world import BASES, CODES, LISTS, MOMENTS, NODES, ORIGINS, Draw, Raw

CLOCK = {"import": "America/New_York", "export": "Asia/Shanghai"}
CLOCK |= {"port_call": CLOCK["import"], "control": CLOCK["export"]}
AMOUNTS = (
    {"rate": "0.22 USD/kg"},
    {"rate": "150 USD/t"},
    {"tiers": [{"up_to": "1000 kg", "rate": "1 USD/kg"}, {"rate": "0.3 USD/kg"}]},
)
CHANGED_RATES = ({"by": "+10pp"}, {"by": "-5pp"}, {"by": "x0.5"})
SOURCED: Raw = {"cite": [], "conf": "C"}


def _row(draw: Draw, kinds: tuple[str, ...]) -> Raw:
    kind = draw.one(kinds)
    row: Raw = {"kind": kind, "heading": draw.heading(), **draw.scope(0.3), **draw.conditions(0.25)}
    if kind == "exempt":
        return {**row, "kind": "add", "rate": "0%"}
    if kind == "specific":
        row |= draw.one(AMOUNTS)
    elif kind == "minimum_price":
        row["price"] = draw.one(("21 USD/kg", "0.004 USD/g", "9000 USD/t"))
    else:
        row["rate"] = draw.percent()
    if draw.maybe(0.35):
        row["base"] = dict(draw.one(BASES))
    if kind == "topup_to" and draw.maybe(0.5):
        row["heading_at_zero"] = draw.heading()
    if draw.maybe(0.15):
        row["split_heading"] = draw.heading()
    if draw.maybe(0.1):
        row["undeclared"] = "applies"
    if kind == "add" and draw.maybe(0.1):
        row.pop("origins", None)
        row["by_origin"] = {origin: [draw.percent(), draw.heading()] for origin in draw.some(ORIGINS, 4)}
    return row


def _period(draw: Draw, label: str, kinds: tuple[str, ...]) -> Raw:
    start, end = draw.span()
    rows = [_row(draw, kinds) for _ in range(draw.dice.randint(1, 4))]
    if draw.maybe(0.2):
        rows.insert(0, {"use": "relief"})
    period = {"id": label, "from": start, "rows": rows, **SOURCED, **draw.known(), **draw.switched()}
    return period | ({"to": end} if draw.maybe(0.15) else {})


OPS = ("suspend", "suspend", "extend", "snap_back", "set_rate", "set_rate", "terminate", "expire", "invalidate",
       "enjoin", "revalidate", "exempt", "lapse_exemption", "delay")  # fmt: skip


def event(draw: Draw, op: str, narrow: float) -> Raw:
    """One act without its selector's id."""
    start, end = draw.span()
    found: Raw = {"op": op, "measures": draw.scope(narrow), **draw.switched()}
    if op not in {"extend", "delay", "revalidate"} or draw.maybe(0.7):
        found |= draw.known()
    if op == "suspend":
        found |= {"from": start, "on_end": draw.one(("snap_back", "snap_back", "terminate"))}
        found |= {"until": end} if draw.maybe(0.85) else {"on_end": "none_scheduled"}
        found |= {"kept": draw.percent()} if draw.maybe(0.5) else {}
        found |= {"heading": draw.heading()} if draw.maybe(0.5) else {}
    elif op == "set_rate":
        found["from"] = start
        rates = [{"rate": draw.percent()} for _ in range(2)]
        found |= draw.one((*rates, *CHANGED_RATES))
        found |= {"heading": draw.heading()} if draw.maybe(0.3) else {}
        found |= {"base": dict(draw.one(BASES))} if draw.maybe(0.1) else {}
    elif op == "exempt":
        found |= {"from": start, "heading": draw.heading(), **draw.conditions(0.4)}
        found |= {"until": end} if draw.maybe(0.5) else {}
    elif op == "invalidate":
        found |= {"at": start}
        found |= {"from_beginning": draw.one(("yes", "no"))} if draw.maybe(0.7) else {}
        found |= {"collection_stop": end} if draw.maybe(0.6) else {}
    elif op == "enjoin":
        found |= {"at": start} | ({"until": end} if draw.maybe(0.6) else {})
    elif op == "extend":
        found["until"] = end
    elif op == "delay":
        found["to"] = end
    elif op != "revalidate":
        found["at"] = start
    return found


def _measure(draw: Draw, index: int, narrow: float) -> Raw:
    name = f"m{index}"
    kinds: tuple[str, ...] = draw.one(
        (("add", "exempt"), ("add", "add", "exempt"), ("add", "specific"), ("topup_to", "exempt", "add"), ("topup_to",),
         ("specific",), ("minimum_price", "add"), ("total", "exempt"))
    )  # fmt: skip
    labels = [f"{name}_{letter}" for letter in "abcd"[: draw.dice.randint(1, 4)]]
    measure: Raw = {"id": name, "authority": draw.one(NODES), **SOURCED}
    measure["periods"] = [_period(draw, label, kinds) for label in labels]
    measure["displaces_at_zero"] = "yes" if {"topup_to", "minimum_price"} & set(kinds) else "no"
    measure |= draw.switched()
    if draw.maybe(0.04):
        measure["modelled"] = "no"
    if draw.maybe(0.04):
        measure["status"] = "announced"
    events = [event(draw, draw.one(OPS), narrow) for _ in range(draw.one((0, 0, 0, 1, 1, 2, 3, 5)))]
    for found in events:
        if draw.maybe(0.2):
            found["measures"]["id"] = draw.one(labels)
    return {**measure, "events": events}


def _ban(draw: Draw, index: int, narrow: float) -> Raw:
    """A prohibition, tested on the day of entry or on a declared one."""
    name = f"ban{index}"
    periods = []
    tested = {"tested_on": "loading_date"} if draw.maybe(0.6) else {}
    for letter in "ab"[: draw.dice.randint(1, 2)]:
        rows = [{"kind": "prohibition", "heading": draw.heading(), **draw.scope(0.8), **draw.conditions(0.4)}]
        rows[0]["if"] = [c for c in rows[0].get("if", []) if not (tested and c.startswith("entry_date"))]
        rows[0] |= {"undeclared": "applies"} if draw.maybe(0.5) else {}
        if draw.maybe(0.3):
            rows.insert(0, {"if": ["donation"], "rate": "0%", "heading": draw.heading()})
        period = {"id": f"{name}_{letter}", "from": draw.moment(), "rows": rows, "conf": "C"}
        periods.append(period | draw.known())
    measure: Raw = {"id": name, "authority": draw.one(NODES), **SOURCED, "periods": periods, **tested}
    return {**measure, "events": [event(draw, draw.one(OPS), narrow) for _ in range(draw.one((0, 1, 2, 4)))]}


def _rule(draw: Draw, index: int, names: list[str], headings: list[str]) -> Raw:
    rule: Raw = {"id": f"rule{index}", **SOURCED, **draw.switched(), **draw.known()}
    if draw.maybe(0.6):
        rule["from"] = draw.moment()
    if draw.maybe(0.3):
        rule["to"] = draw.moment()
    if draw.maybe(0.7):
        rule["heading"] = draw.heading()
    if draw.maybe(0.25):
        return {**rule, "one_of": draw.some(names, 12), "pick": draw.one(("first", "highest"))}
    rule |= {"on": draw.some(names, 3), "take": draw.one(("all", "content", "content", "base", "full_base"))}
    rule |= {**draw.conditions(0.2), **draw.conditions(0.15, "unless")}
    if "if" not in rule or rule["take"] == "content" or draw.maybe(0.8):
        rule["when"] = draw.some(names, 3)
        if draw.maybe(0.2):
            rule["when_not"] = draw.some(headings, 20)
    if rule["take"] in {"base", "full_base"}:
        rule["base"] = dict(draw.one(BASES))
    return rule


_CLAIMS: Raw = {
    "usmca_share": {"type": "share", "role": "relief", "partition": "preference"},
    "fta_share": {"type": "share", "role": "relief", "partition": "preference"},
    "civil_aircraft_share": {"type": "share", "role": "relief"},
    "exclusion_share": {"type": "share", "role": "relief"},
    "qualifying_share": {"type": "share", "role": "charge"},
    "steel_share": {"type": "content", "role": "content", "partition": "content"},
    "aluminum_share": {"type": "content", "role": "content", "partition": "content"},
    "copper_share": {"type": "content", "role": "content", "partition": "content"},
    "us_content_share": {"type": "content", "role": "relief"},
    "metal_weight_share": {"type": "content", "role": "relief"},
    "donation": {"type": "bool", "role": "relief"},
    "loading_date": {"type": "date", "role": "relief"},
    "smelt_cast_origin": {"type": "code", "role": "charge"},
    "mode": {"type": "code", "codes": "mode", "role": "relief"},
    "processing_value": {"type": "number", "role": "relief"},
}


def random_law(seed: int, measures: int = 200, *, narrow: float = 0.0) -> Raw:
    """A raw law; `narrow` is how often acts are limited to origins or products."""
    draw = Draw(seed)
    rows: list[Raw] = [
        {"column": "other", "origins": ["COLUMN_2"]},
        {"column": "special", "if": ["usmca_share"]},
        {"column": "special", "if": ["fta_share"]},
        {"column": "general"},
    ]
    period: Raw = {"id": "column_1", "from": "1990-01-01T00:00-05:00", "conf": "C"}
    period["rows"] = [{"kind": "ordinary", **row} for row in rows]
    column = {"id": "column", "authority": "ordinary", **SOURCED, "periods": [period]}
    found = [column, *(_measure(draw, index, narrow) for index in range(measures - 1))]
    names = [measure["id"] for measure in found[1:]] + [node for node in NODES if any(
        f"{m['authority']}.".startswith(node + ".") for m in found)]  # fmt: skip
    bans = Draw(seed + 3_000_000)
    found += [_ban(bans, index, narrow) for index in range(bans.dice.randint(0, 2))]
    _publish_rows_later(found, seed)
    nodes = [name for name in names if name in NODES]
    headings = [row["heading"] for row in _rows(found) if "heading" in row]
    events = [event(draw, draw.one(OPS), narrow) for _ in range(min(6, measures // 4))]
    for act in events:
        if draw.maybe(0.5):
            act["measures"]["authority"] = draw.one(nodes)
        else:
            act["measures"]["id"] = [x for x in draw.some(names[:40], 3) if x not in NODES] or ["m0"]
    return {
        "version": {
            "version": "2026.11.24.1",
            "as_of": "2026-11-24",
            "coverage": {"from": "2025-01-01T00:00-05:00", "to": "2028-01-01T00:00-05:00"},
            "clock": CLOCK,
        },
        "row_sets": {"relief": [{"if": ["donation"], "rate": "0%", "heading": "9903.01.21"}]},
        "measures": found,
        "events": events,
        "rules": _with_ends([_rule(draw, index, names, headings) for index in range(min(30, measures // 3))], seed),
        "claims": _CLAIMS,
        "terms": {"us_capped": {"cap": "40%", "cite": []}},
        "switches": {"truce": {"default": draw.one(("on", "off")), "values": ["on", "off"], "text": "", "conf": "C"}},
        "groups": {
            "EU": [{"members": ["DE"]}, {"members": ["FR"], "from": MOMENTS[8], "to": MOMENTS[20]}],
            "CN_HK": {"members": ["CN", "HK"]},
            "COLUMN_2": {"members": ["RU"]},
        },
        "programs": {
            "S": {"members": ["CA", "MX"], "claim": "usmca_share"},
            "KR": {"members": ["KR"], "claim": "fta_share"},
            "A": {"members": ["BR", "KR"], "claim": "fta_share"},
        },
        **_lists(draw, seed),
        "fees": {"informal_limit": "2500", "mpf": [], "hmf": [], "mpf_exempt": []},
        "retired": {},
    }  # fmt: skip


def _lists(draw: Draw, seed: int) -> Raw:
    """Product lists, with the days on which some of their changes were published."""
    lists = {name: _list(draw) for name in LISTS}
    later = Draw(seed + 6_000_000)
    dated = {name: sorted({day for _, *pair in lists[name] for day in pair if day}) for name in LISTS}
    days = [(name, day) for name in LISTS for day in dated[name]]
    changes = [{"day": day, "lists": [name], **later.known()} for name, day in days]
    return {"lists": lists, "list_changes": [change for change in changes if "known_from" in change]}


def _rows(measures: list[Raw]) -> list[Raw]:
    return [row for measure in measures for period in measure["periods"] for row in period["rows"]]


def _publish_rows_later(measures: list[Raw], seed: int) -> None:
    """Give some rows a day of publication of their own."""
    draw = Draw(seed + 4_000_000)
    for row in _rows(measures[1:]):
        row |= draw.known() if "use" not in row else {}


def _with_ends(rules: list[Raw], seed: int) -> list[Raw]:
    """The rules, some of them ended by later acts."""
    draw = Draw(seed + 5_000_000)
    for rule in rules:
        for _ in range(draw.one((0, 0, 1, 2))):
            end = {
                "op": "terminate",
                "at": draw.moment(),
                "known_from": draw.moment()[:10],
                **draw.switched(),
            }
            rule.setdefault("events", []).append(end)
    return rules


def _list(draw: Draw) -> list[list[str]]:
    rows = []
    for code in draw.some(CODES, 8):
        start, end = draw.span()
        length = draw.one((4, 6, 8, 10))
        dates = [start[:10] if draw.maybe(0.3) else "", end[:10] if draw.maybe(0.3) else ""]
        rows.append([code[:length], *dates])
    return rows
