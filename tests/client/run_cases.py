"""Cases of runs over tables that cover all pairs of verb, layout, way and every option, and how to ask for them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tariffs.client import Client, Scenario
from tariffs.engine.response.elasticities.thetas import LASTING
from tariffs.engine.response.trade.trade_response import LASTING_MODELS
from tariffs.engine.runs import refusals
from tariffs.engine.schedule import reference_data
from tariffs.run_spec.option import IMPACT, SEEK, SWEEP, TIMELINE

Case = dict[str, Any]
Pair = tuple[tuple[str, int], tuple[str, int]]
TRIES = 200


class Covering:
    """Greedy pairwise covering.

    Args:
        factors: levels of each factor, the default first.
        allowed: tells of a part of a case whether it may be completed.
        seed: cases differ by it.
    """

    def __init__(
        self, factors: Mapping[str, Sequence[Any]], allowed: Callable[[Case], bool], seed: int = 0
    ) -> None:
        self._factors, self._allowed, self._random = factors, allowed, random.Random(seed)

    def cases(self) -> list[Case]:
        """Cases that together have every pair that some allowed case has."""
        left = dict.fromkeys(pair for pair in self._pairs() if self._allowed(self._case(dict(pair))))
        found = []
        while left:
            pair = next(iter(left))
            chosen = self._completed(dict(pair), left)
            # Two levels may exclude each other by a third factor alone.
            for covered in [pair] if chosen is None else _pairs_of(chosen):
                left.pop(covered, None)
            if chosen is not None:
                found.append(self._case(chosen))
        return found

    def completed(self, given: Case) -> Case | None:
        """Complete a case, with levels as near to the defaults as is allowed; None if there is none."""
        fixed = {name: list(self._factors[name]).index(value) for name, value in given.items()}
        chosen = self._completed(fixed, {})
        return None if chosen is None else self._case(chosen)

    def _completed(self, fixed: dict[str, int], left: Mapping[Pair, None]) -> dict[str, int] | None:
        rest = [name for name in self._factors if name not in fixed]
        if not all(self._levels(fixed, name) for name in rest):
            return None
        for _ in range(TRIES):
            chosen = dict(fixed)
            self._random.shuffle(rest)
            for name in rest:
                if not (levels := self._levels(chosen, name)):
                    break
                chosen[name] = max(
                    levels, key=lambda level: (self._gain(chosen, (name, level), left), -level)
                )
            else:
                return {name: chosen[name] for name in self._factors}
        return None

    def _levels(self, chosen: Mapping[str, int], name: str) -> list[int]:
        levels = range(len(self._factors[name]))
        return [level for level in levels if self._allowed(self._case({**chosen, name: level}))]

    def _gain(self, chosen: Mapping[str, int], one: tuple[str, int], left: Mapping[Pair, None]) -> int:
        return sum(_pair(other, one) in left for other in chosen.items())

    def _pairs(self) -> Iterator[Pair]:
        levels = [[(name, level) for level in range(len(self._factors[name]))] for name in self._factors]
        for one, other in itertools.combinations(levels, 2):
            yield from itertools.starmap(_pair, itertools.product(one, other))

    def _case(self, chosen: Mapping[str, int]) -> Case:
        return {name: self._factors[name][level] for name, level in chosen.items()}


def _pair(one: tuple[str, int], other: tuple[str, int]) -> Pair:
    return (one, other) if one <= other else (other, one)


def _pairs_of(chosen: Mapping[str, int]) -> Iterator[Pair]:
    return itertools.starmap(_pair, itertools.combinations(chosen.items(), 2))


DAY, BASELINE, OLD_BASELINE = "2027-01-11", "2026-09-01", "2025-01-01"
"""Every law between baseline and day is a step of a path, which takes time: few cases have the old one."""
PERIOD: Mapping[str, Any] = {"start": "2027-01-08", "end": "2027-01-13"}
HEAD = "schema: tariffs.scenario/v1\nbasis: hypothesis\ntitle: Test\nid: "
RATES = """parameters: {cn: {default: 15%}, start: {default: 2027-01-10}}
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: $start, rate: $cn}
  - {op: set_rate, measures: {id: cn.recip}, from: $start, rate: $cn}
  - {op: set_rate, measures: {id: ca.surtax}, from: $start, rate: $cn}
"""
LIMIT = "  - {op: shock_quantity, from: 2026-12-01, share: 60%, origins: [CN, US]}\n"
SCENARIOS: Mapping[str, Any] = {
    "rates": Scenario.from_text(f"{HEAD}rates\n{RATES}"),
    "limit": Scenario.from_text(f"{HEAD}limit\n{RATES}{LIMIT}"),
    "mixture": "truce-even-odds",
}
VARIED = {**dict.fromkeys(("rates", "limit"), ("cn", ["5%", "30%"])), "mixture": ("lapses", ["30%", "80%"])}
SOUGHT = dict.fromkeys(("rates", "limit"), ("start", "2027-01-10", "2027-01-12"))
SOUGHT |= {"mixture": ("lapses", "30%", "80%")}
SINGLE = "truce-lapses"
OF_ONE = Scenario.from_text(f"{HEAD}of-one\nmixture: [{{scenario: {SINGLE}, weight: 100%}}]\n")
NOTHING = Scenario.from_text(f"{HEAD}nothing\nchanges: []\n")
PARAMETERS = "hts,sigma,eta\n85,2.5,1.1\n"
RUNS = (
    *((verb, way) for verb in (IMPACT, TIMELINE, SWEEP) for way in ("direct", "files", "long", "cluster")),
    (SEEK, "direct"),
    (SEEK, "files"),
)
"""Verbs with the ways in which they are computed, so that every option meets every one of them."""
FACTORS: Mapping[str, Sequence[Any]] = {
    "run": RUNS,
    "layout": ("frame", "file", "files", "stored"),
    "dates": (False, True),
    "change": ("rates", "mixture", "limit"),
    "by": (
        ("origin",),
        ("authority",),
        ("authority", "origin"),
        ("hts2", "authority"),
        ("hts2", "team"),
        ("team", "authority", "hts4"),
        ("team", "decile"),
    ),
    "direction": ("import", "export"),
    "to": ("", "CA"),
    "date_format": ("", "m/d/Y"),
    "law_version": ("", "exact"),
    "baseline": (BASELINE, "", OLD_BASELINE),
    "known_on": ("", "entry", "2026-09-01"),
    "switches": ("", "usmca_basis=2024", "usmca_basis=responding"),
    "min_confidence": ("", "B"),
    "response": ("armington", "none", "passthrough", "smart", "gsim", "exact_hat", "world"),
    "horizon": ("path", "impact", "short", "long"),
    "market": ("product", "sector"),
    "retaliation": ("", "reciprocal", "law"),
    "parameter_set": ("", "low", "file"),
    "fx_offset": (0.0, 0.174),
    "ahead": ("", "2026-12-20"),
    "trend": ("", "2024"),
    "rivals": (0.0, 1.53),
    "memory": (False, True),
    "reaction": (0.0, 1.0),
    "attribute": (False, True),
    "consumer_prices": ("", "dollar"),
    "draws": (0, 16),
    "seed": (0, 7),
    "include_lines": (False, True),
    "basis": ("assessed", "collected"),
    "score": ("", "2026-02"),
    "tax_offset": ("", "none"),
    "collected": ("", "all=0.9"),
    "gdp": ("", "2027=-0.1%"),
}
QUOTIENTS = ("rate", "rate_after", "hat", "premium", "share", "correlation", "positive", "direct")
OPTIONS = tuple(name for name in FACTORS if name in refusals.OPTIONS)


def asked_of(case: Case) -> dict[str, object]:
    """Options and facts that refusals test, as far as a part of a case states them."""
    asked = {name: case[name] for name in (*OPTIONS, "dates") if name in case} | {"own_table": True}
    if asked.get("response") in LASTING_MODELS and asked.get("horizon") == "path":
        asked["horizon"] = LASTING
    if "run" in case:
        asked |= {"verb": case["run"][0], "files": case["run"][1] == "files"}
    if "change" in case:
        asked["mixture"] = case["change"] == "mixture"
    return asked


def refusal(case: Case) -> refusals.Refusal | None:
    """The refusal of a case: what its options say, then its layout, then its table and scenario."""
    asked = asked_of(case)
    later = {"own_table", "dates", "mixture"}
    for unknown in (later | {"files"}, later, set[str]()):
        known = {name: value for name, value in asked.items() if name not in unknown}
        if (found := next((one for one in refusals.refusals() if one.holds(known)), None)) is not None:
            return found
    return None


def is_askable(case: Case) -> bool:
    """Tell of a part of a case whether its verb takes its options, and its table has such dates."""
    if case.get("to") == "CA" and case.get("direction") == "import":
        return False
    if case.get("date_format") == "m/d/Y" and not case.get("dates", True):
        return False
    if "run" not in case:
        return True
    verb, way = case["run"]
    if "layout" in case and (
        (case["layout"] == "files") != (way == "files")
        or (case["layout"] == "stored") > (way in {"direct", "long"})
    ):
        return False
    if verb == SEEK and case.get("layout") == "stored" and case.get("change") == "mixture":
        return False  # A server computes all values of a range of numbers, which are many.
    return all(
        verb in refusals.OPTIONS[name] or case[name] == FACTORS[name][0]
        for name in OPTIONS
        if name in case and name != "by"
    )


def is_run(case: Case) -> bool:
    """Tell of a part of a case whether it is computed."""
    if not is_askable(case):
        return False
    is_long = case.get("baseline") == OLD_BASELINE and case.get("horizon") == "path"
    if is_long and any(case.get(name) for name in ("draws", "attribute", "dates")):
        return False  # Some forty laws of each draw, coalition or day; other horizons have the pairs of these options.
    asked = asked_of(case)
    return not any(one.holds(asked) for one in refusals.refusals())


def table(case: Case) -> pl.DataFrame:
    """Rows of imports, or of exports to two countries."""
    # Dates in another format are other dates: a stored table is that of the first upload with its content.
    random = np.random.default_rng(11 + len(case["date_format"]))
    if case["direction"] == "import":
        goods = reference_data.reference_table().filter(pl.col("customs_value") > 1e4)
        some = [goods.filter(origin=origin).sample(10, seed=3) for origin in ("CN", "MX", "VN", "DE", "CA")]
    else:
        some = [
            reference_data.exports(market)
            .sample(20, seed=3)
            .select("hts", "origin", "customs_value", destination=pl.lit(market))
            for market in ("CN", "CA")
        ]
    rows = pl.concat(some).with_columns(customs_value=pl.col("customs_value").clip(0, 5e6).round(2))
    rows = rows.with_columns(pl.Series("team", random.choice(["a", "b"], rows.height)))
    if not case["dates"]:
        return rows
    form = "%m/%d/%Y" if case["date_format"] else "%Y-%m-%d"
    days = pl.Series(
        "day", random.choice(["2026-12-15", "2027-01-20", "2027-03-14"], rows.height)
    ).str.to_date()
    return rows.with_columns(entry_date=days.dt.strftime(form))


def laid_out(client: Client, case: Case, rows: pl.DataFrame, folder: Path) -> Any:
    """The rows of a case in its layout."""
    if case["layout"] == "frame":
        return rows
    if case["layout"] == "stored":
        return client.upload(rows)
    if case["layout"] == "file":
        rows.write_parquet(folder / "rows.parquet")
        return folder / "rows.parquet"
    (folder / "files").mkdir(exist_ok=True)
    for number, part in enumerate(rows.sample(fraction=1, shuffle=True, seed=5).iter_slices(27)):
        part.write_parquet(folder / "files" / f"{number}.parquet")
    return folder / "files"


def options_of(case: Case, folder: Path) -> dict[str, Any]:
    """Arguments of the options of a case, those of its verb alone."""
    given = {
        name: case[name]
        for name in OPTIONS
        if case["run"][0] in refusals.OPTIONS[name] and case[name] != FACTORS[name][0]
    }
    for name in {"switches", "collected", "gdp"} & given.keys():
        given[name] = dict([given[name].split("=")])
    if "law_version" in given:
        law = Client.local().law()
        given["law_version"] = f"{law.version}@{law.digest}"
    if given.get("parameter_set") == "file":
        given["parameter_set"] = folder / "parameters.csv"
        given["parameter_set"].write_text(PARAMETERS)
    return {"baseline": case["baseline"], **given}


def scenarios_of(case: Case) -> list[Any]:
    """Scenarios of an impact or a timeline: the case's, one that changes nothing, and a mixture of one."""
    same = [] if case["attribute"] else [SINGLE, OF_ONE]
    return ["base", SCENARIOS[case["change"]], NOTHING, *same]


def ask(client: Client, case: Case, lines: Any, options: Mapping[str, Any]) -> Any:
    """Result of a case over its table, by its way."""
    verb, way = case["run"]
    given = {**options, **({"cluster": "tcp://test"} if way == "cluster" else {})}
    if verb == TIMELINE:
        given |= {"period": (PERIOD["start"], PERIOD["end"])} if way == "long" else PERIOD
    else:
        given["on"] = DAY
    if verb == SWEEP:
        given["vary"] = dict([VARIED[case["change"]]])
    if verb == SEEK:
        given |= {"vary": SOUGHT[case["change"]], "target": ("duty", 1e6)}
    acts = scenarios_of(case) if verb in {IMPACT, TIMELINE} else SCENARIOS[case["change"]]
    if way == "long":
        start: Any = client.start_sweep if verb == SWEEP else client.start
        return start(lines, acts, **given).result()
    return getattr(client, verb)(lines, acts, **given)


def frames(result: Any) -> Iterator[tuple[str, pl.DataFrame]]:
    """Frames of a result by name."""
    names = ("groups", "total", "totals", "segments", "averages", "average_total", "attribution", "path")
    ranges = getattr(result, "ranges", None)
    for holder, name in [
        *((result, name) for name in (*names, "consumer_prices", "households", "lines")),
        *((ranges, name) for name in ("groups", "total", "tornado")),
    ]:
        if isinstance(frame := getattr(holder, name, None), pl.DataFrame):
            yield f"{'ranges.' * (holder is ranges)}{name}", frame


def same_rows(found: pl.DataFrame, wanted: pl.DataFrame, what: str, *, exact: bool = False) -> None:
    """Compare rows by their keys, in any order of rows and columns; numbers to 1e-9 of the largest, amounts to 1e-6."""
    assert sorted(found.columns) == sorted(wanted.columns), what
    found = found.select(wanted.columns)
    if exact:
        assert found.equals(wanted, null_equal=True), what
        return
    keys = [name for name, kind in wanted.schema.items() if not kind.is_float()]
    found, wanted = (one.sort(keys, nulls_last=True, maintain_order=True) for one in (found, wanted))
    assert found.select(keys).equals(wanted.select(keys), null_equal=True), f"{what}: other keys"
    for name in set(wanted.columns) - set(keys):
        one, other = (frame[name].to_numpy() for frame in (found, wanted))
        least = 1e-9 * np.nanmax(np.abs(other), initial=0.0)
        is_quotient = name.endswith(QUOTIENTS) or name == "change"
        least = least if is_quotient else max(least, 1e-6)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=least, err_msg=f"{what}: {name}")


def compute_tasks_here(monkeypatch: Any) -> None:
    """Compute the tasks of a cluster in this process, and tables of some rows in several buckets."""
    from tariffs.engine.runs.sweeps import sweep_points
    from tariffs.engine.tables import partitions
    from tariffs.service.rpc import runs
    from tariffs.service.workers.spread_tasks import OneProcess

    monkeypatch.setattr(runs, "cluster", lambda address: OneProcess(lambda: False))
    monkeypatch.setattr(sweep_points, "CELLS", 4)
    monkeypatch.setattr(partitions, "ROWS_PER_BUCKET", 25)
    monkeypatch.setattr(partitions, "ROWS_PER_SLICE", 20)
