"""List the rows of `tariffs bench` with their targets.

A target in milliseconds holds on one machine. It is written as a ratio to a rival that is measured in the same run: the
milliseconds over those of the rival on the machine on which the targets were set.

A row below half of its target has a floor: a check fails if its ratio gets worse than this. Floors are some one and a
half to two times what was measured last (docs/speed.md), and fall with it; no target moves.
"""

from __future__ import annotations

from typing import NamedTuple

from tariffs.bench import cold_rows, quote_rows, shipments, table_rows
from tariffs.bench.measure import AT_LEAST, AT_MOST, WITHIN, Row, Target
from tariffs.bench.workbench import BY_BOTH, Measure, Workbench
from tariffs.engine.response.elasticities.parameters import PATH
from tariffs.engine.response.sectors.sector_market import SECTOR
from tariffs.engine.runs.options import Options


class Rival(NamedTuple):
    """Rival of a row, with its milliseconds on the machine of the targets; 1 where a target is a ratio."""

    words: str
    milliseconds: float = 1.0


JOIN = Rival("Polars join with a ready rate panel", 70.0)
EXPRESSION = Rival("Polars expression on joined rates", 8.0)
DUCKDB = Rival("DuckDB join with a ready rate panel", 58.0)
PRODUCT = Rival("NumPy product of ready coefficients", 15.0)
LAYERS = Rival("dictionary of ready layers", 0.0013)
LAYERS_OF_BATCH = LAYERS._replace(milliseconds=1_000 * LAYERS.milliseconds)
SHIPMENTS = Rival("Polars join of the shipments with a ready rate panel", 3_031.0)
IMPORT = Rival("processor time of a process that imports Polars", 150.0)
SHORT = Rival("the same at the horizon short, by product")
NONE = Rival("")
BenchRow = Row[Workbench]


def _row(
    name: str, title: str, rival: Rival, milliseconds: float, measure: Measure, floor: float | None = None
) -> BenchRow:
    target = Target(AT_MOST, milliseconds / rival.milliseconds)
    return Row(name, title, rival.words, target, measure, floor)


STATIC = "one new scenario, static"
ONE_MOVES = "rates of one country move"
QUICK_ROWS: tuple[BenchRow, ...] = (
    _row("scenario_static", STATIC, JOIN, 70, table_rows.static_beside("join")),
    _row("scenario_static_expression", STATIC, EXPRESSION, 60, table_rows.static_beside("expression")),
    _row("scenario_static_duckdb", STATIC, DUCKDB, 60, table_rows.static_beside("duckdb")),
    _row("first_law", "first law of a process, table prepared", JOIN, 400, table_rows.first_law, 20.0),
    _row(
        "scenario_armington", "one new scenario with Armington response", JOIN, 90, table_rows.armington, 6.0
    ),
    _row(
        "sweep_rates",
        "1,000 scenarios that move rates, by origin and authority",
        PRODUCT,
        50,
        table_rows.sweep_rates,
        20.0,
    ),
    _row(
        "sweep_patterns",
        "1,000 scenarios that suspend, end or exempt, 40 patterns",
        JOIN,
        1_000,
        table_rows.sweep_patterns,
    ),
    _row(
        "sweep_response_one",
        f"1,000 scenarios with response, {ONE_MOVES}",
        JOIN,
        400,
        table_rows.sweep_response("rates", Workbench.one_country_points),
        15.0,
    ),
    _row(
        "sweep_response_all",
        "1,000 scenarios with response, all rates move",
        JOIN,
        1_500,
        table_rows.sweep_response("all_rates", Workbench.step_points),
    ),
    _row(
        "sweep_path",
        f"1,000 scenarios on the adjustment path, {ONE_MOVES}",
        SHORT,
        1.5,
        table_rows.sweep_beside_short(horizon=PATH),
    ),
    _row(
        "sweep_sectors",
        f"1,000 scenarios under a market of sectors, {ONE_MOVES}",
        SHORT,
        1.5,
        table_rows.sweep_beside_short(market=SECTOR),
    ),
    _row("quote_new", "quote of goods never asked, layers", LAYERS, 0.15, quote_rows.quote_layers),
    _row(
        "quote_new_why",
        "quote of goods never asked, with reasons",
        LAYERS,
        0.4,
        quote_rows.quote_with_reasons,
    ),
    _row("batch", "batch of 1,000 mixed lines", LAYERS_OF_BATCH, 150, quote_rows.batch, 350.0),
    Row(
        "threads",
        "one thread over two, sweep with response",
        "two threads",
        Target(AT_LEAST, 1.7),
        table_rows.two_threads,
    ),
)
LONG_ROWS: tuple[BenchRow, ...] = (
    _row(
        "timeline_static",
        "two years, three scenarios, by authority and origin",
        JOIN,
        2_000,
        table_rows.timeline_beside_join(Options(response="none", by=BY_BOTH)),
    ),
    _row(
        "timeline_response",
        "the same with response",
        JOIN,
        6_000,
        table_rows.timeline_beside_join(Options(response="armington", horizon="short", by=BY_BOTH)),
    ),
    Row(
        "slope_scenarios",
        "log-log slope of cost over scenarios",
        "",
        Target(WITHIN, 1.0, 0.1),
        table_rows.slope_of_scenarios,
    ),
    Row(
        "slope_lines",
        "log-log slope of cost over lines",
        "",
        Target(WITHIN, 1.0, 0.1),
        table_rows.slope_of_lines,
    ),
)
# Processor time of processes of their own, with compiled kernels and snapshots on disk.
COLD_ROWS: tuple[BenchRow, ...] = (
    _row("cold_help", "`tariffs --help`", IMPORT, 150, cold_rows.cold_command("help")),
    _row("cold_quote", "`tariffs duty`", IMPORT, 500, cold_rows.cold_command("quote")),
    _row("cold_static", "`tariffs impact`, static", IMPORT, 1_200, cold_rows.cold_command("static")),
    _row("cold_impact", "`tariffs impact`", IMPORT, 2_500, cold_rows.cold_command("impact")),
    _row("cold_server", "server until it serves", IMPORT, 3_000, cold_rows.cold_server),
)
SHIPMENT_ROWS: tuple[BenchRow, ...] = (
    _row(
        "shipments_sweep",
        "1,000 scenarios x 20 million shipments, loaded",
        SHIPMENTS,
        60_000,
        shipments.beside_join("sweep"),
    ),
    _row("shipments_load", "load of 20 million shipments", SHIPMENTS, 40_000, shipments.beside_join("load")),
    _row(
        "shipments_memory",
        "memory at the peak over loaded table and results",
        NONE,
        1.1,
        shipments.memory_of_shipments,
    ),
)
