"""Forecast imports of 2025 by partner, industry and month, and score them beside rivals: `tariffs validate trade`.

Nothing is fitted: the law known on a day and imports of 2024 go in, at the default parameters. See docs/hindcast.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.elasticities.parameters import PATH
from tariffs.engine.response.industries import naics_of
from tariffs.engine.response.trend import growth_before, nest
from tariffs.engine.runs.column_names import VALUE_FORECAST
from tariffs.engine.runs.impact import Impact, impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import Cancelled, Progress
from tariffs.engine.scenario import library, parse_scenario
from tariffs.engine.schedule.reference_data import baseline, reference_table
from tariffs.engine.tables.prepare import PreparedTable, prepare_table
from tariffs.engine.validation.trade_scores import TradeScore, partner_growth, score

OUTCOMES = Path(__file__).with_name("trade_outcomes.parquet")
RULES = Path(__file__).with_name("hindcast.yaml")
NO_CHANGE, ONE_ELASTICITY, TREND = "no change", "one elasticity", "trend"
WITH_TREND, WITH_RIVALS = "path and trend", "path and rivals"
_OTHERS = (NO_CHANGE, ONE_ELASTICITY, TREND, WITH_TREND, WITH_RIVALS)
CUT = "most"
"""Goods on which the sign is judged: those whose growth of 2025 had other causes are left out."""
ALL, RANGE = "", ("p5", "p95")
_CELL = ["origin", "industry"]
# Scrap, used goods, goods returned and other special goods of the Census Bureau's list of industries.
_NO_INDUSTRY = ("910", "930", "980", "990")
_MIDDLE = 15
"""Day of a month on which its forecast is made."""


@dataclass(frozen=True)
class Board:
    """Law that is frozen, and what is forecast under it; `hindcast.yaml` describes the fields."""

    id: str
    known_on: str
    title: str
    windows: tuple[tuple[str, str], ...] = ()
    scenario: str = ""
    horizons: tuple[str, ...] = ()
    stated: tuple[str, str] | None = None

    @property
    def months(self) -> list[str]:
        """Months that are forecast."""
        spans = [*self.windows, *([self.stated] if self.stated else [])]
        return months_between(min(first for first, _ in spans), max(last for _, last in spans))


@dataclass(frozen=True)
class ScoreRow:
    """Score of one forecast on a board, over a window of months and a cut of goods."""

    board: str
    first: str
    last: str
    cut: str
    forecast: str
    score: TradeScore


@dataclass(frozen=True)
class PartnerRow:
    """Growth over the same months of 2024, as fractions, of imports from a partner (empty: all) on a board.

    `forecast` is that of the default path, `with_trend` the same times growth before the duties; `realised` is None
    for months that are stated and not scored.
    """

    board: str
    first: str
    last: str
    cut: str
    origin: str
    before: float
    forecast: float
    with_trend: float
    realised: float | None


@dataclass(frozen=True)
class Hindcast:
    """Scores and growth by partner of all boards, and the inputs needed to reproduce them."""

    boards: tuple[Board, ...]
    scores: tuple[ScoreRow, ...]
    partners: tuple[PartnerRow, ...]
    frozen: Mapping[str, object]
    provenance: Mapping[str, object]

    @property
    def wrong_signs(self) -> tuple[ScoreRow, ...]:
        """Scores of the default path whose slope is not above 0, over goods without other causes of growth."""
        judged = (row for row in self.scores if (row.forecast, row.cut) == (PATH, CUT))
        return tuple(row for row in judged if not row.score.slope.value > 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON; what is undefined is null."""
        return {
            "boards": [asdict(board) for board in self.boards],
            "scores": [_plain({**asdict(row), **asdict(row.score)}) for row in self.scores],
            "partners": [asdict(row) for row in self.partners],
            "wrong_signs": [f"{row.board} {row.first}" for row in self.wrong_signs],
            "frozen": dict(self.frozen),
            "provenance": dict(self.provenance),
        }


def compare_trade(
    *,
    law: Law | None = None,
    known_on: str = "",
    boards: Sequence[Board] = (),
    draws: int | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Hindcast:
    """Forecast and score.

    Args:
        law: by default the embedded one.
        known_on: the board of this day alone, or all.
        boards: other boards than those of `hindcast.yaml`.
        draws: draws behind the coverage; 0 leaves it out. By default those of `hindcast.yaml`.
        progress: told the stage and the part done.
        cancelled: asked between steps.

    Raises:
        InputError: PARAMETER_INVALID for a day without a board.
        ServiceError: CANCELLED.
    """
    rules, law = load_yaml(RULES), law or load_law()
    chosen = boards or _boards(rules, known_on)
    table = prepare_table(industry_table(), law)
    count = int(rules["draws"]) if draws is None else draws
    scores: list[ScoreRow] = []
    partners: list[PartnerRow] = []
    digests = {}
    for index, board in enumerate(chosen):
        if progress is not None:
            progress(board.title, index / len(chosen))
        cells, digests[board.id] = _forecast(board, rules, law, table, count, cancelled)
        scores += _scores(board, rules, cells)
        partners += _partners(board, rules, cells)
    parameters = path_parameters_for(table.products).digest
    frozen = {**rules["frozen"], "unchanged": parameters == rules["frozen"]["parameters"]}
    facts = {"law_version": law.version, "law_digest": law.digest, "runs": digests}
    return Hindcast(tuple(chosen), tuple(scores), tuple(partners), frozen, with_run_digest(facts))


def _boards(rules: Mapping[str, Any], known_on: str) -> tuple[Board, ...]:
    boards = [
        Board(
            id=one["id"],
            known_on=one["known_on"],
            title=one["title"],
            windows=tuple((first, last) for first, last in one["windows"]),
            scenario=one.get("scenario", ""),
            horizons=tuple(one.get("horizons", ())),
            stated=tuple(one["stated"]) if "stated" in one else None,
        )
        for one in rules["boards"]
    ]
    chosen = tuple(board for board in boards if known_on in ("", board.known_on))
    if not chosen:
        days = ", ".join(board.known_on for board in boards)
        raise InputError(
            "PARAMETER_INVALID",
            f"No law was frozen on {known_on}.",
            field="known_on",
            fix=f"Use one of: {days}.",
        )
    return chosen


@cache
def industry_table() -> pl.DataFrame:
    """US imports of 2024 with `partner`, empty for those whose outcomes are not known by themselves, and `industry`:
    NAICS of three digits, empty for scrap, used goods and returns."""
    table = reference_table()
    codes = table["hts"].unique().sort()
    industry = pl.Series(naics_of(codes.to_list()), dtype=pl.String)
    known = read_outcomes()["origin"].unique().to_list()
    partner = pl.when(pl.col("origin").is_in(known)).then("origin").otherwise(pl.lit(ALL))
    return table.with_columns(partner=partner, industry=pl.col("hts").replace_strict(codes, industry))


def months_between(first: str, last: str) -> list[str]:
    """List months from first to last, such as 2025-09."""
    start, end = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (first, last))
    return [f"{place // 12}-{place % 12 + 1:02d}" for place in range(start, end + 1)]


def read_outcomes() -> pl.DataFrame:
    """Read imports by `origin` (empty: all partners), `industry` and `month`, USD."""
    return pl.read_parquet(OUTCOMES)


def _forecast(
    board: Board,
    rules: Mapping[str, Any],
    law: Law,
    table: PreparedTable,
    draws: int,
    cancelled: Cancelled | None,
) -> tuple[pl.DataFrame, object]:
    """Forecast the relative change of imports of each cell and month; the digest of the run on the path.

    The columns are origin (empty: all partners), industry, month, one for each forecast, and with draws p5 and p95 of
    the path in the first window.
    """
    text = rules["scenarios"].get(board.scenario)
    scenario = parse_scenario(text, board.scenario) if text else library()["base"]

    def run(horizon: str, months: Sequence[str], count: int = 0) -> Impact:
        options = Options(
            baseline=baseline().isoformat(),
            horizon=horizon,
            known_on=board.known_on,
            by=("partner", "industry"),
            draws=count,
            rivals=0.0 if count or horizon != PATH else nest()["elasticity"],
            seed=int(rules["seed"]),
        )
        points = [Point(scenario, f"{month}-{_MIDDLE}") for month in months]
        return impact(table, points, law=law, options=options, cancelled=cancelled)

    default = run(PATH, board.months)
    frames = [_changes(default, PATH), _changes(default, WITH_RIVALS, VALUE_FORECAST), _powers(default)]
    frames += [_changes(run(horizon, board.months), horizon) for horizon in board.horizons]
    if draws and board.windows:
        frames.append(_ranges(run(PATH, months_between(*board.windows[0]), draws)))
    cells = _values(default)
    for frame in frames:
        cells = cells.join(frame, on=[*_CELL, "month"], how="left")
    cells = cells.with_columns((pl.col("power") ** -float(rules["elasticity"])).alias(ONE_ELASTICITY))
    cells = cells.drop("power")
    known = cells.filter(pl.col("origin") != ALL)
    return pl.concat([known, _of_all_partners(cells)]), default.provenance["run_digest"]


def _blocks(found: Impact, **columns: pl.Expr) -> pl.DataFrame:
    """Compute columns by cell and month of the cells with trade."""
    return pl.concat(
        block.groups.rename({"partner": "origin"})
        .filter(pl.col("customs_value") > 0)
        .select(*_CELL, month=pl.lit(block.on[:7]), **columns)
        for block in found.scenarios
    )


def _values(found: Impact) -> pl.DataFrame:
    return _blocks(found, value=pl.col("customs_value"))


def _changes(found: Impact, name: str, column: str = "value_after") -> pl.DataFrame:
    return _blocks(found, **{name: pl.col(column) / pl.col("customs_value")})


def _powers(found: Impact) -> pl.DataFrame:
    """Compute the relative change of the power of duty on the trade of 2024."""
    before = (pl.col("duty_after") - pl.col("revenue_change")) / pl.col("customs_value")
    now = pl.col("duty") / pl.col("customs_value")
    return _blocks(found, power=(1 + now) / (1 + before))


def _ranges(found: Impact) -> pl.DataFrame:
    blocks = []
    for block in found.scenarios:
        assert block.ranges is not None
        keys = ["partner", "industry"]
        value = block.groups.filter(pl.col("customs_value") > 0).select(*keys, "customs_value")
        drawn = block.ranges.groups.filter(pl.col("column") == "value_after").join(value, on=keys)
        bounds = {name: pl.col(name) / pl.col("customs_value") for name in RANGE}
        blocks.append(drawn.select("industry", origin="partner", month=pl.lit(block.on[:7]), **bounds))
    return pl.concat(blocks)


def _of_all_partners(cells: pl.DataFrame) -> pl.DataFrame:
    """Sum forecasts over partners by industry and month."""
    names = [name for name in cells.columns if name not in (*_CELL, "month", "value")]
    changes = [((pl.col(name) * pl.col("value")).sum() / pl.col("value").sum()).alias(name) for name in names]
    sums = cells.group_by("industry", "month").agg(*changes, pl.col("value").sum())
    return sums.with_columns(origin=pl.lit(ALL)).select(cells.columns)


def _window(cells: pl.DataFrame, rules: Mapping[str, Any], first: str, last: str) -> pl.DataFrame:
    """Put forecasts beside imports of 2024 and after, summed over a window of months; goods not forecast stay."""
    observed, months = read_outcomes(), months_between(first, last)
    year_before = {month: f"2024{month[4:]}" for month in months}
    before = observed.filter(pl.col("month").is_in(list(year_before.values())))
    named = {old: new for new, old in year_before.items()}
    frame = before.with_columns(pl.col("month").replace(named)).rename({"imports": "before"})
    forecasts = [name for name in cells.columns if name not in (*_CELL, "month", "value")]
    frame = frame.join(cells, on=[*_CELL, "month"], how="left").join(
        observed.rename({"imports": "after"}), on=[*_CELL, "month"], how="left"
    )
    if last <= rules["observed"]:
        frame = frame.with_columns(pl.col("after").fill_null(0))
    weighted = [(pl.col(name).fill_null(1.0) * pl.col("before")).sum() for name in forecasts]
    after = pl.when(pl.col("after").null_count() == 0).then(pl.col("after").sum())
    sums = frame.group_by(_CELL).agg(pl.col("before").sum(), after, *weighted)
    changes = [pl.col(name) / pl.col("before") for name in forecasts]
    return (
        sums.filter(pl.col("before") > 0)
        .with_columns(*changes, realised=pl.col("after") / pl.col("before"))
        .join(_early(observed, rules["base"]), on=_CELL, how="left")
        .join(growth_before(), on=_CELL, how="left")
        .with_columns(pl.lit(1.0).alias(NO_CHANGE), (1 + pl.col("growth").fill_null(0.0)).alias(TREND))
        .with_columns((pl.col(PATH) * pl.col(TREND)).alias(WITH_TREND))
        .sort(_CELL)
    )


def _early(observed: pl.DataFrame, months: Sequence[str]) -> pl.DataFrame:
    """Relative change of imports over the year before, in months before the duties: `early`, by cell."""
    before = [f"2024{month[4:]}" for month in months]
    sums = [pl.col("imports").filter(pl.col("month").is_in(span)).sum() for span in (months, before)]
    found = observed.group_by(_CELL).agg(early=sums[0], early_before=sums[1])
    return found.filter(pl.col("early_before") > 0).select(*_CELL, pl.col("early") / pl.col("early_before"))


def _cut(frame: pl.DataFrame, cut: Mapping[str, Any]) -> pl.DataFrame:
    """Take the goods of a cut; goods without an industry of their own are in no cut but that of all goods."""
    if "only" in cut:
        return frame.filter(pl.col("industry").is_in(cut["only"]))
    if "without" in cut:
        return frame.filter(pl.col("industry").is_in([*cut["without"], *_NO_INDUSTRY]).not_())
    return frame


def _scores(board: Board, rules: Mapping[str, Any], cells: pl.DataFrame) -> Iterator[ScoreRow]:
    for first, last in board.windows:
        frame = _window(cells, rules, first, last)
        drawn = set(RANGE) <= set(frame.columns) and (first, last) == board.windows[0]
        for cut in rules["cuts"]:
            goods = _cut(frame, cut)
            every, partners = (goods.filter((pl.col("origin") == ALL) == of_all) for of_all in (True, False))
            for forecast in (PATH, *board.horizons, *_OTHERS):
                ranges = RANGE if drawn and forecast == PATH else None
                found = score(partners, every, forecast, float(rules["least"]), ranges)
                yield ScoreRow(board.id, first, last, cut["id"], forecast, found)


def _partners(board: Board, rules: Mapping[str, Any], cells: pl.DataFrame) -> Iterator[PartnerRow]:
    for first, last in [*board.windows, *([board.stated] if board.stated else [])]:
        frame = _window(cells, rules, first, last)
        for cut in rules["cuts"]:
            goods = _cut(frame, cut)
            trend = partner_growth(goods, WITH_TREND).select("origin", with_trend="forecast")
            for row in partner_growth(goods, PATH).join(trend, on="origin").iter_rows(named=True):
                yield PartnerRow(board.id, first, last, cut["id"], **row)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten the slopes of a score, with undefined numbers as None."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name == "score":
            continue
        if isinstance(value, Mapping):
            found |= {name: value["value"], f"{name}_error": value["error"]}
        else:
            found[name] = value
    return {name: None if value != value else value for name, value in found.items()}
