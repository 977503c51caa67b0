"""Random requests, drawn from the reference table and from lists written here: the same whatever form the law has."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from tests.law.random_lines import pairs

FIRST, DAYS = date(2025, 1, 1), 900
KNOWN = ("", "", "", "", "entry", "2025-04-05", "2025-09-10", "2026-02-22", "2026-09-10")
ORIGINS = ("CA", "MX", "CN", "HK", "MO", "BR", "IN", "JP", "KR", "DE", "GB", "CH", "RU", "TW", "VN")
SCENARIOS = (
    "base", "base", "fentanyl-zero", "forced-labor-invalidated", "ieepa-upheld-truce-lapsed", "metals-at-25",
    "metals-by-content", "canada-338-repealed", "no-kuala-lumpur-deal", "truce-lapses", "usmca-lapses",
    "exclusions-lapse", "parity-floors", "semiconductors-widened", "russian-oil-buyers", "excess-capacity",
)  # fmt: skip
SWITCHES = (
    ("truce_extension", "off"), ("revive_displaced", "on"), ("s338_after_2026_09_15", "all"),
    ("recip_on_derivatives", "charged"), ("pharma_with_301", "displaced"), ("uk_metals", "full_rate"),
    ("usmca_basis", "2024"), ("preference_basis", "none"), ("us_content_basis", "0"),
)  # fmt: skip
CONTENTS = (
    "steel_share", "aluminum_share", "copper_share", "us_content_share", "metal_weight_share", "us_metal_share",
)  # fmt: skip
PREFERENCES = ("usmca_share", "fta_share")
SHARES = (
    "civil_aircraft_share", "particular_article_share", "partner_list_share", "pharma_use_share", "not_listed_share",
    "vehicle_part_share", "certified_part_share", "qualifying_share", "exempt_use_share", "patented_share",
    "uas_share", "quartz_share", "chassis_share", "exclusion_share", "in_quota_share", "packaged_share",
)  # fmt: skip
DATES = ("loading_date", "import_date", "contract_date")
FLAGS = ("transshipped", "donation", "informational", "mip_documented")
SHARE_VALUES = ("0", "0.25", "0.4", "1")


def entry_days(dice: random.Random) -> list[str]:
    """Draw the days of the lines of one block; each day is another state of the law."""
    return [_day(dice) for _ in range(4)]


def entry_line(dice: random.Random, days: Sequence[str]) -> dict[str, Any]:
    """Draw an entry line in the JSON form of the wire."""
    code, origin = _goods(dice)
    return {
        "hts": code,
        "origin": origin,
        "entry": dice.choice(days),
        "customs_value": str(dice.randint(1, 900_000)),
        "quantity": str(dice.randint(1, 5_000)),
        "mode": dice.choice(("TRANSPORT_MODE_OCEAN", "TRANSPORT_MODE_AIR", "TRANSPORT_MODE_LAND")),
        "claims": {"others": _claims(dice)},
    }


def terms(dice: random.Random) -> dict[str, Any]:
    """Draw the scenario, knowledge day and switches of a request for quotes."""
    return {
        "scenario": {"name": dice.choice(SCENARIOS)},
        "known_on": dice.choice(KNOWN),
        "switches": _switches(dice),
    }


def _goods(dice: random.Random) -> tuple[str, str]:
    largest = 2_000 if dice.random() < 0.5 else len(_trade())
    code, origin = _trade()[dice.randrange(largest)]
    return code, dice.choice(ORIGINS) if dice.random() < 0.3 else origin


@cache
def _trade() -> list[tuple[str, str]]:
    return pairs()


def _day(dice: random.Random) -> str:
    return (FIRST + timedelta(dice.randrange(DAYS))).isoformat()


def _switches(dice: random.Random) -> Mapping[str, str]:
    return dict([dice.choice(SWITCHES)]) if dice.random() < 0.3 else {}


def _claims(dice: random.Random) -> dict[str, str]:
    claims: dict[str, str] = {}
    if dice.random() < 0.3:
        claims[dice.choice(PREFERENCES)] = dice.choice(SHARE_VALUES)
    if dice.random() < 0.3:
        claims |= {name: dice.choice(("0", "0.1", "0.25")) for name in dice.sample(CONTENTS, 2)}
    if dice.random() < 0.4:
        claims |= {name: dice.choice(SHARE_VALUES) for name in dice.sample(SHARES, dice.randint(1, 2))}
    claims |= {name: _day(dice) for name in DATES if dice.random() < 0.15}
    claims |= {name: dice.choice(("yes", "no")) for name in FLAGS if dice.random() < 0.1}
    if dice.random() < 0.15:
        claims["chapter98"] = dice.choice(("9802.00.40", "9802.00.80"))
        claims["processing_value"] = "500"
    if dice.random() < 0.2:
        claims["smelt_cast_origin"] = dice.choice(("RU", "US", "CN"))
    return claims
