"""Random laws and lines in the text form of docs/law-data.md, so that engine and interpreter read the same words.

A seed names a law; everything is drawn from a small world (few codes, origins and instants) so that scopes overlap
and acts fall on the same moment often.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
CHAPTERS = ("7208", "7604", "8703", "9503", "0201", "8541")
CODES = tuple(f"{c}{s}{t}" for c in CHAPTERS for s in ("10", "20") for t in ("0010", "0020", "9000"))
ORIGINS = ("CN", "HK", "CA", "MX", "DE", "FR", "JP", "KR", "RU", "BR")
GROUPS = ("EU", "CN_HK", "COLUMN_2")
LISTS = ("LIST_A", "LIST_B", "LIST_C", "LIST_D", "LIST_E")
NODES = (
    "ia",
    "ia.fent",
    "ia.recip",
    "ia.recip.floor",
    "sec",
    "sec.metal",
    "sec.car",
    "sec.car.part",
    "col",
    "oth",
    "oth.x",
)
SHARES = ("usmca_share", "fta_share", "civil_aircraft_share", "exclusion_share", "qualifying_share")
CONDITIONS = (
    *SHARES,
    *(f"not {share}" for share in SHARES),
    "donation",
    "not donation",
    "us_content_share >= 20%",
    "us_content_share < 0.5",
    "not us_content_share > 30%",
    "metal_weight_share < 15%",
    "loading_date < 2025-06-01T00:01-04:00",
    "loading_date >= 2026-02-01",
    "not loading_date <= 2025-10-01",
    "smelt_cast_origin == RU",
    "smelt_cast_origin in RU CN",
    "processing_value <= 5000",
    "entry_date < 2026-03-01T00:01-05:00",
    "entry_date >= 2025-09-01",
    "steel_share > 40%",
)
BASES = (
    {"steel": "1"},
    {"aluminum": "1"},
    {"copper": "1"},
    {"steel": "1", "aluminum": "1"},
    {"full": "1", "us": "-1"},
    {"full": "1", "us_capped": "-1"},
    {"full": "1", "steel": "-1"},
    {"processing": "1"},
    {"full": "0.5"},
)
UNITS = {"kg": ("mass", "1"), "g": ("mass", "0.001"), "t": ("mass", "1000")}
Raw = dict[str, Any]


def _moments() -> tuple[str, ...]:
    first = datetime(2025, 1, 15, 0, 1)
    days = [first + timedelta(days=28 * n) for n in range(36)]
    return tuple((day.replace(tzinfo=EASTERN)).isoformat(timespec="minutes") for day in days)


MOMENTS = _moments()


class Draw:
    """The dice of one law."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def maybe(self, chance: float) -> bool:
        """True with a chance."""
        return self.dice.random() < chance

    def one(self, items: Any) -> Any:
        """One item."""
        return self.dice.choice(items)

    def some(self, items: Any, most: int) -> list[Any]:
        """One to `most` items, without repetition."""
        return self.dice.sample(items, self.dice.randint(1, min(most, len(items))))

    def percent(self) -> str:
        """A rate above zero in either spelling."""
        rate = self.one((2.5, 7.5, 10, 12.5, 15, 20, 25, 34, 50, 100, 125))
        return f"{rate}%" if rate >= 100 or self.maybe(0.7) else f"{rate / 100:.4f}"

    def moment(self) -> str:
        """An instant of the grid."""
        return str(self.one(MOMENTS))

    def span(self) -> tuple[str, str]:
        """Two instants of the grid in order, near each other more often than not."""
        first = self.dice.randrange(len(MOMENTS) - 1)
        return MOMENTS[first], MOMENTS[min(len(MOMENTS) - 1, first + self.dice.randint(1, 8))]

    def known(self) -> Raw:
        """A day of publication, now and then."""
        return {"known_from": self.moment()[:10]} if self.maybe(0.25) else {}

    def switched(self) -> Raw:
        """A dependence on a switch, now and then."""
        return {"switch": {"truce": self.one(("on", "off"))}} if self.maybe(0.08) else {}

    def heading(self) -> str:
        """A heading of chapter 99."""
        return f"9903.{self.dice.randint(1, 99):02}.{self.dice.randint(1, 99):02}"

    def scope(self, chance: float) -> Raw:
        """Keys that narrow a row, an act or a selector."""
        found: Raw = {}
        if self.maybe(chance):
            found["origins"] = self.some(ORIGINS + GROUPS, 4)
        if self.maybe(chance):
            found["products"] = self.some(LISTS + CHAPTERS + CODES[:6], 3)
        if self.maybe(chance / 4):
            found["not_origins"] = self.some(ORIGINS + GROUPS, 2)
        if self.maybe(chance / 4):
            found["not_products"] = self.some(LISTS + ("7208.10", "8703.20.90"), 2)
        return found

    def conditions(self, chance: float, key: str = "if") -> Raw:
        """Conditions under a key, now and then."""
        return {key: self.some(CONDITIONS, 2)} if self.maybe(chance) else {}


def _row(draw: Draw, kinds: tuple[str, ...]) -> Raw:
    kind = draw.one(kinds)
    row: Raw = {"kind": kind, "heading": draw.heading(), **draw.scope(0.3), **draw.conditions(0.25)}
    if kind == "exempt":
        return {**row, "kind": "add", "rate": "0%"}
    if kind == "specific":
        row |= draw.one(
            (
                {"rate": "0.22 USD/kg"},
                {"rate": "150 USD/t"},
                {"tiers": [{"up_to": "1000 kg", "rate": "1 USD/kg"}, {"rate": "0.3 USD/kg"}]},
            )
        )
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
    period: Raw = {
        "id": label,
        "from": start,
        "rows": rows,
        "cite": [],
        "conf": "C",
        **draw.known(),
        **draw.switched(),
    }
    if draw.maybe(0.15):
        period["to"] = end
    return period


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
        found |= draw.one(
            (
                {"rate": draw.percent()},
                {"rate": draw.percent()},
                {"by": "+10pp"},
                {"by": "-5pp"},
                {"by": "x0.5"},
            )
        )
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
    measure: Raw = {
        "id": name,
        "authority": draw.one(NODES),
        "cite": [],
        "conf": "C",
        "periods": [_period(draw, label, kinds) for label in labels],
        "displaces_at_zero": "yes" if {"topup_to", "minimum_price"} & set(kinds) else "no",
        **draw.switched(),
    }
    if draw.maybe(0.04):
        measure["modelled"] = "no"
    if draw.maybe(0.04):
        measure["status"] = "announced"
    events = [event(draw, draw.one(OPS), narrow) for _ in range(draw.one((0, 0, 0, 1, 1, 2, 3, 5)))]
    for found in events:
        if draw.maybe(0.2):
            found["measures"]["id"] = draw.one(labels)
    return {**measure, "events": events}


def _rule(draw: Draw, index: int, names: list[str]) -> Raw:
    rule: Raw = {"id": f"rule{index}", "cite": [], "conf": "C", **draw.switched(), **draw.known()}
    if draw.maybe(0.6):
        rule["from"] = draw.moment()
    if draw.maybe(0.3):
        rule["to"] = draw.moment()
    if draw.maybe(0.7):
        rule["heading"] = draw.heading()
    if draw.maybe(0.25):
        return {**rule, "one_of": draw.some(names, 12), "pick": draw.one(("first", "highest"))}
    rule |= {"on": draw.some(names, 3), "take": draw.one(("all", "content", "content", "base"))}
    rule |= {**draw.conditions(0.2), **draw.conditions(0.15, "unless")}
    if "if" not in rule or rule["take"] == "content" or draw.maybe(0.8):
        rule["when"] = draw.some(names, 3)
    if rule["take"] == "base":
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
    "processing_value": {"type": "number", "role": "relief"},
}
_ASK = ("usmca_share", "donation", "us_content_share", "qualifying_share")


def _claims(draw: Draw, asks: bool) -> Raw:
    claims = {name: dict(claim) for name, claim in _CLAIMS.items()}
    for name in draw.some(_ASK, 3) if asks else []:
        claims[name]["ask"] = draw.scope(0.3)
    return claims


def random_law(seed: int, measures: int = 200, *, narrow: float = 0.0, asks: bool = False) -> Raw:
    """A raw law; `narrow` is how often acts are limited to origins or products, `asks` whether facts are asked."""
    draw = Draw(seed)
    column = {
        "id": "column",
        "authority": "ordinary",
        "cite": [],
        "conf": "C",
        "periods": [
            {"id": "column_1", "from": "1990-01-01T00:00-05:00", "conf": "C", "rows": [
                {"kind": "ordinary", "column": "other", "origins": ["COLUMN_2"]},
                {"kind": "ordinary", "column": "special", "if": ["usmca_share"]},
                {"kind": "ordinary", "column": "special", "if": ["fta_share"]},
                {"kind": "ordinary", "column": "general"},
            ]},
        ],
    }  # fmt: skip
    found = [column, *(_measure(draw, index, narrow) for index in range(measures - 1))]
    names = [measure["id"] for measure in found[1:]] + [node for node in NODES if any(
        f"{m['authority']}.".startswith(node + ".") for m in found)]  # fmt: skip
    nodes = [name for name in names if name in NODES]
    events = [event(draw, draw.one(OPS), narrow) for _ in range(min(6, measures // 4))]
    for act in events:
        act["measures"] |= (
            {"authority": draw.one(nodes)} if draw.maybe(0.5) else {"id": draw.some(names[:40], 3)}
        )
        if "id" in act["measures"]:
            act["measures"]["id"] = [name for name in act["measures"]["id"] if name not in NODES] or ["m0"]
    return {
        "version": {
            "version": "2026.11.24.1",
            "as_of": "2026-11-24",
            "coverage": {"from": "2025-01-01T00:00-05:00", "to": "2028-01-01T00:00-05:00"},
            "clock": {d: "America/New_York" for d in ("import", "port_call")} | {d: "Asia/Shanghai" for d in ("export", "control")},
        },
        "row_sets": {"relief": [{"if": ["donation"], "rate": "0%", "heading": "9903.01.21"}]},
        "measures": found,
        "events": events,
        "rules": [_rule(draw, index, names) for index in range(min(30, measures // 3))],
        "claims": _claims(draw, asks),
        "terms": {"us_capped": {"cap": "40%", "cite": []}},
        "switches": {"truce": {"default": draw.one(("on", "off")), "values": ["on", "off"], "text": "", "conf": "C"}},
        "groups": {
            "EU": [{"members": ["DE"], "cite": []}, {"members": ["FR"], "from": MOMENTS[8], "to": MOMENTS[20], "cite": []}],
            "CN_HK": {"members": ["CN", "HK"], "cite": []},
            "COLUMN_2": {"members": ["RU"], "cite": []},
        },
        "programs": {
            "S": {"members": ["CA", "MX"], "claim": "usmca_share", "cite": []},
            "KR": {"members": ["KR"], "claim": "fta_share", "cite": []},
            "A": {"members": ["BR", "KR"], "claim": "fta_share", "cite": []},
        },
        "lists": {name: _list(draw) for name in LISTS},
        "fees": {"informal_limit": "2500", "mpf": [], "hmf": [], "mpf_exempt_programs": []},
        "retired": {},
    }  # fmt: skip


def _list(draw: Draw) -> list[list[str]]:
    rows = []
    for code in draw.some(CODES, 8):
        start, end = draw.span()
        length = draw.one((4, 6, 8, 10))
        dates = [start[:10] if draw.maybe(0.3) else "", end[:10] if draw.maybe(0.3) else ""]
        rows.append([code[:length], *dates])
    return rows


def random_schedule(seed: int) -> dict[str, dict[str, tuple[str, str, str]]]:
    """Ordinary rates by code and column: ad valorem, US dollars per unit, unit."""
    draw = Draw(seed)
    found: dict[str, dict[str, tuple[str, str, str]]] = {}
    for code in CODES:
        general = draw.one(
            (
                ("0", "0", "kg"),
                ("0.025", "0", "kg"),
                ("0.16", "0", "kg"),
                ("0.03", "0.12", "kg"),
                ("0", "0.05", "t"),
            )
        )
        columns = {"general": general, "other": draw.one((("0.45", "0", "kg"), ("0.2", "0.3", "kg")))}
        columns |= {
            symbol: (draw.one(("0", "0.01")), "0", "kg") for symbol in ("S", "KR", "A") if draw.maybe(0.7)
        }
        found[code] = columns
    return found


def random_line(draw: Draw, *, whole: bool = False) -> Raw:
    """A line of the small world; `whole` keeps every share at 0 or 1."""
    moment = datetime.fromisoformat(draw.moment())
    entry = draw.one(
        (moment, moment - timedelta(minutes=1), moment + timedelta(days=draw.dice.randint(0, 27)))
    )
    day = entry.date().isoformat()
    claims: dict[str, str] = {}
    for share in SHARES:
        if draw.maybe(0.3):
            claims[share] = draw.one(("0", "1") if whole else ("0", "1", "0.25", "0.4"))
    if {"usmca_share", "fta_share"} <= claims.keys():
        claims["fta_share"] = "0"
    if draw.maybe(0.4):
        metals = draw.one(
            (
                ("1", "0", "0"),
                ("0.3", "0.2", "0"),
                ("0", "0.65", "0.1"),
                ("0.5", "0.25", "0.25"),
                ("0", "0", "0"),
            )
        )
        names = ("steel_share", "aluminum_share", "copper_share")
        claims |= {name: share for name, share in zip(names, metals, strict=True) if draw.maybe(0.8)}
    pool = {
        "us_content_share": ("0", "0.2", "0.25", "0.55", "1"),
        "metal_weight_share": ("0.1", "0.15", "0.9"),
        "donation": ("yes", "no"),
        "loading_date": ("2025-05-31", "2025-11-02", "2026-02-01"),
        "smelt_cast_origin": ("RU", "CN", "CA"),
        "processing_value": ("1200", "5000", "900000"),
    }
    claims |= {name: draw.one(values) for name, values in pool.items() if draw.maybe(0.2)}
    return {
        "hts": draw.one(CODES),
        "origin": draw.one(ORIGINS),
        "entry": day if draw.maybe(0.4) else entry.isoformat(timespec="minutes"),
        "value": draw.one(("10000", "12345.67", "999.5", "1", "333333", "1000000")),
        "claims": claims,
        "quantity": draw.one(("0", "10", "512.5", "25000")),
        "unit": draw.one(tuple(UNITS)),
    }
