"""The small world that random laws are about: codes, origins, instants, the dice, ordinary rates and lines."""

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
    "ia", "ia.fent", "ia.recip", "ia.recip.floor", "sec", "sec.metal", "sec.car", "sec.car.part", "col",
    "oth", "oth.x",
)  # fmt: skip
SHARES = ("usmca_share", "fta_share", "civil_aircraft_share", "exclusion_share", "qualifying_share")
MODES = ("", "", "ocean", "air", "land")
CONDITIONS = (
    *SHARES, *(f"not {share}" for share in SHARES), "donation", "not donation", "us_content_share >= 20%",
    "us_content_share < 0.5", "not us_content_share > 30%", "metal_weight_share < 15%",
    "loading_date < 2025-06-01T00:01-04:00", "loading_date >= 2026-02-01", "not loading_date <= 2025-10-01",
    "smelt_cast_origin == RU", "smelt_cast_origin in RU CN", "mode == ocean", "not mode in air land",
    "processing_value <= 5000", "entry_date < 2026-03-01T00:01-05:00", "entry_date >= 2025-09-01", "steel_share > 40%",
)  # fmt: skip
METALS = (
    ("1", "0", "0"),
    ("0.3", "0.2", "0"),
    ("0", "0.65", "0.1"),
    ("0.5", "0.25", "0.25"),
    ("0", "0", "0"),
)
GENERAL = (("0", "0"), ("0.025", "0"), ("0.16", "0"), ("0.03", "0.12"))
FACTS = {
    "us_content_share": ("0", "0.2", "0.25", "0.55", "1"),
    "metal_weight_share": ("0.1", "0.15", "0.9"),
    "donation": ("yes", "no"),
    "loading_date": ("2025-05-31", "2025-11-02", "2026-02-01"),
    "smelt_cast_origin": ("RU", "CN", "CA"),
    "processing_value": ("1200", "5000", "900000"),
}
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


_FIRST = datetime(2025, 1, 15, 0, 1, tzinfo=EASTERN)
MOMENTS = tuple((_FIRST + timedelta(days=28 * n)).isoformat(timespec="minutes") for n in range(36))


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
            found["not_products"] = self.some((*LISTS, "7208.10", "8703.20.90"), 2)
        return found

    def conditions(self, chance: float, key: str = "if") -> Raw:
        """Conditions under a key, now and then."""
        return {key: self.some(CONDITIONS, 2)} if self.maybe(chance) else {}


def random_schedule(seed: int) -> dict[str, dict[str, tuple[str, str, str]]]:
    """Ordinary rates by code and column: ad valorem, US dollars per unit, unit."""
    draw = Draw(seed)
    found: dict[str, dict[str, tuple[str, str, str]]] = {}
    for code in CODES:
        columns = {"general": draw.one((*((*rate, "kg") for rate in GENERAL), ("0", "0.05", "t")))}
        columns["other"] = draw.one((("0.45", "0", "kg"), ("0.2", "0.3", "kg")))
        programs = [symbol for symbol in ("S", "KR", "A") if draw.maybe(0.7)]
        found[code] = columns | {symbol: (draw.one(("0", "0.01")), "0", "kg") for symbol in programs}
    return found


def random_line(draw: Draw) -> Raw:
    """A line of the small world."""
    moment = datetime.fromisoformat(draw.moment())
    later = moment + timedelta(days=draw.dice.randint(0, 27))
    entry = draw.one((moment, moment - timedelta(minutes=1), later))
    day = entry.date().isoformat()
    claims = {share: draw.one(("0", "1", "0.25", "0.4")) for share in SHARES if draw.maybe(0.3)}
    if {"usmca_share", "fta_share"} <= claims.keys():
        claims["fta_share"] = "0"
    if draw.maybe(0.4):
        names = ("steel_share", "aluminum_share", "copper_share")
        metals = zip(names, draw.one(METALS), strict=True)
        claims |= {name: share for name, share in metals if draw.maybe(0.8)}
    claims |= {name: draw.one(values) for name, values in FACTS.items() if draw.maybe(0.2)}
    return {
        "hts": draw.one(CODES),
        "origin": draw.one(ORIGINS),
        "entry": day if draw.maybe(0.4) else entry.isoformat(timespec="minutes"),
        "value": draw.one(("10000", "12345.67", "999.5", "1", "333333", "1000000")),
        "claims": claims,
        "quantity": draw.one(("0", "10", "512.5", "25000")),
        "unit": draw.one(tuple(UNITS)),
        "mode": draw.one(MODES),
    }
