"""List the rows of `tariffs bench` with their targets.

A target in milliseconds holds on one machine. It is written as a ratio to a rival that is measured in the same run: the
milliseconds over those of the rival on the machine on which the targets were set.

A row below half of its target has a floor: a check fails if its ratio gets worse than this. Floors are some one and a
half to two times what was measured last (docs/speed.md), and fall with it; no target moves.
"""

from __future__ import annotations

from tariffs.bench import cold_rows, quote_rows, shipments, table_rows
from tariffs.bench.measure import AT_LEAST, AT_MOST, WITHIN, Row, Target
from tariffs.bench.workbench import Workbench

JOIN, JOIN_MS = "Polars join with a ready rate panel", 70.0
EXPRESSION, EXPRESSION_MS = "Polars expression on joined rates", 8.0
DUCKDB, DUCKDB_MS = "DuckDB join with a ready rate panel", 58.0
PRODUCT, PRODUCT_MS = "NumPy product of ready coefficients", 15.0
LAYERS, LAYERS_MS = "dictionary of ready layers", 0.0013
SHIPMENTS, SHIPMENTS_MS = "Polars join of the shipments with a ready rate panel", 3_031.0
IMPORT, IMPORT_MS = "processor time of a process that imports Polars", 150.0
SHORT = "the same at the horizon short, by product"
BenchRow = Row[Workbench]


def _over(milliseconds: float, rival: float) -> Target:
    return Target(AT_MOST, milliseconds / rival)


STATIC = "one new scenario, static"
QUICK_ROWS: tuple[BenchRow, ...] = (
    Row("scenario_static", STATIC, JOIN, Target(AT_MOST, 1.0), table_rows.static_beside_join),
    Row(
        "scenario_static_expression",
        STATIC,
        EXPRESSION,
        _over(60, EXPRESSION_MS),
        table_rows.static_beside_expression,
    ),
    Row("scenario_static_duckdb", STATIC, DUCKDB, _over(60, DUCKDB_MS), table_rows.static_beside_duckdb),
    Row(
        "first_law",
        "first law of a process, table prepared",
        JOIN,
        _over(400, JOIN_MS),
        table_rows.first_law,
        floor=20.0,
    ),
    Row(
        "scenario_armington",
        "one new scenario with Armington response",
        JOIN,
        _over(90, JOIN_MS),
        table_rows.armington,
        floor=6.0,
    ),
    Row(
        "sweep_rates",
        "1,000 scenarios that move rates, by origin and authority",
        PRODUCT,
        _over(50, PRODUCT_MS),
        table_rows.sweep_rates,
        floor=20.0,
    ),
    Row(
        "sweep_patterns",
        "1,000 scenarios that suspend, end or exempt, 40 patterns",
        JOIN,
        _over(1_000, JOIN_MS),
        table_rows.sweep_patterns,
    ),
    Row(
        "sweep_response_one",
        "1,000 scenarios with response, rates of one country move",
        JOIN,
        _over(400, JOIN_MS),
        table_rows.sweep_response_one,
        floor=15.0,
    ),
    Row(
        "sweep_response_all",
        "1,000 scenarios with response, all rates move",
        JOIN,
        _over(1_500, JOIN_MS),
        table_rows.sweep_response_all,
    ),
    Row(
        "sweep_path",
        "1,000 scenarios on the adjustment path, rates of one country move",
        SHORT,
        Target(AT_MOST, 1.5),
        table_rows.sweep_on_path,
    ),
    Row(
        "sweep_sectors",
        "1,000 scenarios under a market of sectors, rates of one country move",
        SHORT,
        Target(AT_MOST, 1.5),
        table_rows.sweep_of_sectors,
    ),
    Row(
        "quote_new",
        "quote of goods never asked, layers",
        LAYERS,
        _over(0.15, LAYERS_MS),
        quote_rows.quote_layers,
    ),
    Row(
        "quote_new_why",
        "quote of goods never asked, with reasons",
        LAYERS,
        _over(0.4, LAYERS_MS),
        quote_rows.quote_with_reasons,
    ),
    Row(
        "batch",
        "batch of 1,000 mixed lines",
        LAYERS,
        _over(150, 1_000 * LAYERS_MS),
        quote_rows.batch,
        floor=350.0,
    ),
    Row(
        "threads",
        "one thread over two, sweep with response",
        "two threads",
        Target(AT_LEAST, 1.7),
        table_rows.two_threads,
    ),
)
LONG_ROWS: tuple[BenchRow, ...] = (
    Row(
        "timeline_static",
        "two years, three scenarios, by authority and origin",
        JOIN,
        _over(2_000, JOIN_MS),
        table_rows.timeline_static,
    ),
    Row(
        "timeline_response",
        "the same with response",
        JOIN,
        _over(6_000, JOIN_MS),
        table_rows.timeline_response,
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
    Row("cold_help", "`tariffs --help`", IMPORT, _over(150, IMPORT_MS), cold_rows.cold_command("help")),
    Row("cold_quote", "`tariffs duty`", IMPORT, _over(500, IMPORT_MS), cold_rows.cold_command("quote")),
    Row(
        "cold_static",
        "`tariffs impact`, static",
        IMPORT,
        _over(1_200, IMPORT_MS),
        cold_rows.cold_command("static"),
    ),
    Row("cold_impact", "`tariffs impact`", IMPORT, _over(2_500, IMPORT_MS), cold_rows.cold_command("impact")),
    Row("cold_server", "server until it serves", IMPORT, _over(3_000, IMPORT_MS), cold_rows.cold_server),
)
SHIPMENT_ROWS: tuple[BenchRow, ...] = (
    Row(
        "shipments_sweep",
        "1,000 scenarios x 20 million shipments, loaded",
        SHIPMENTS,
        _over(60_000, SHIPMENTS_MS),
        shipments.sweep_of_shipments,
    ),
    Row(
        "shipments_load",
        "load of 20 million shipments",
        SHIPMENTS,
        _over(40_000, SHIPMENTS_MS),
        shipments.load_of_shipments,
    ),
    Row(
        "shipments_memory",
        "memory at the peak over loaded table and results",
        "",
        Target(AT_MOST, 1.1),
        shipments.memory_of_shipments,
    ),
)
