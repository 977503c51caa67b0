"""Real words for the fields of requests: codes, origins, days, scenarios, measures, claims, switches and columns."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

from tariffs.engine.law import load_law
from tariffs.engine.scenario import library
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.units import units

_CODES = 400
DAY = date(2026, 7, 1)
_DAY_FIELDS = (
    *("ahead", "baseline", "contract_date", "deposit_date", "reliquidation_date", "end", "entry", "known_on"),
    *("liquidation_date", "loading_date", "on", "paid_on", "start"),
)
_MONEY_FIELDS = (
    *("amount", "customs_value", "drawback", "freight", "insurance", "ordinary_rate", "processing_value"),
    *("quantity", "usd", "usd_per_unit"),
)
_MONEY = ("10000", "1", "0.01", "250.5", "1e6", "0", "-5", "800", "2500", "123456789012.34")


@cache
def words() -> Mapping[str, Sequence[str]]:
    """Words by the name of a field."""
    law, draw = load_law(), random.Random(20261127)
    schedule = load_schedule()
    codes = draw.sample(schedule.line_frame(DAY)["hts8"].to_list(), _CODES)
    codes = [code for eight in codes for code in schedule.children(eight) or [eight]]
    codes += [code[:size] for code in codes[:60] for size in (4, 6, 8)]
    days = sorted({f"{moment:%Y-%m-%d}" for moment in law.boundaries})
    days = draw.sample(days, min(60, len(days)))
    days += ["2026-11-24", "2025-11-20", "entry", "2026-02-24T00:00-05:00"]
    scenarios, measures = sorted(library()), sorted(law.measures)
    parameters = sorted({name for one in library().values() for name in one.parameters})
    switches = sorted(law.switches)
    by_field: dict[str, Sequence[str]] = dict.fromkeys(_DAY_FIELDS, days)
    by_field |= dict.fromkeys(_MONEY_FIELDS, _MONEY)
    settings = {value for switch in law.switches.values() for value in switch.values}
    return by_field | {
        "hts": codes,
        "origin": [*sorted(origin_codes()), "EU"],
        "smelt_cast_origin": sorted(origin_codes()),
        "to": ["", "CA", "CN", "US"],
        "unit": sorted(units()),
        "name": [*scenarios, *parameters, "elasticity.sigma", "sigma", "passthrough"],
        "id": [*scenarios, *measures],
        "authority": sorted(law.authorities),
        "authorities": sorted(law.authorities),
        "key": [*parameters, *switches, "origin", "hts2", "authority", "scenario"],
        "value": ["on", "off", "20%", "0.2", "2027-01-01", *sorted(settings)],
        "parameter": ["start", "rate", *parameters, "elasticity.sigma"],
        "low": ["0", "0.1", "2027-01-01", "x0.5"],
        "high": ["1", "50%", "2027-02-01", "x2"],
        "column": ["duty", "imports_after", "revenue", "customs_value", "effective_rate"],
        "columns": ["hts", "origin", "customs_value", "entry_date", "HTS Number", "Value"],
        "values": ["x0.5:x1:x0.5", "0:1:0.5", "1,2,3", "2027-01-01:2027-03-01:1m", "low", "CN"],
        "by": ["origin", "authority", "hts2", "hts4", "line", "measure", "scenario", "on"],
        "paths": [
            *("assessed", "layers.citations", "provenance.switches", "landed.x", "..", "a.b.c.d.e", "layers"),
            *("layers.id", "fees", "provenance", "layers.amount", "assessed.x"),
        ],
        "date_format": ["m/d/Y", "d/m/Y", "excel", ""],
        "texts": ["5/6/2025", "2025-05-06", "13/1/2025", "45000", "May 6"],
        "law_version": ["", "", "latest", "default", law.version],
        "min_confidence": ["A", "B", "C", ""],
        "parameter_set": ["low", "high", "central", "wits"],
        "liquidation": ["unliquidated", "liquidated", "final", "suspended", "protested"],
        "interest_rate": ["0.07", "7%", "0", "corporate", "other"],
        "chapter98": ["9801", "9802.00.50", "9802.00.60", "9802.00.80", "9804"],
        "kind": ["operated", "built", "vehicle_carrier", "lng"],
        "net_tons": ["60000", "1"],
        "share": ["1", "0.2", "20%"],
        "handle": ["tables/" + "0" * 64],
        "page_token": ["", "0", "MQ==", "eyJhbGciOiJub25lIn0.e30."],
        "filter": ["", "done=true"],
        "request_id": ["a", "b-1", "c.2"],
        "rate": ["0.25", "25%", "0", "1"],
        "label": ["packing", "royalty"],
    }


@cache
def table_columns() -> Sequence[str]:
    """Names of the columns that a trade table may have."""
    plain = (
        "hts",
        "origin",
        "customs_value",
        "entry_date",
        "quantity",
        "unit",
        "freight",
        "insurance",
        "mode",
    )
    return (*plain, "ordinary_rate", "line_id", "entry_id", "destination", *sorted(load_law().claims))
