"""`tariffs validate`: results of the engine compared with published figures, in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from tariffs.client._wire.progress import reporting
from tariffs.client.cli import options
from tariffs.client.cli.commands import Output, add
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.cli.validate_soybeans import soybeans
from tariffs.client.cli.validate_trade import trade
from tariffs.client.errors import module_of

app = typer.Typer(no_args_is_help=True)
add(
    app,
    "soybeans",
    "tariffs validate soybeans",
    "tariffs validate soybeans --horizon long -o soybeans.svg",
)(soybeans)
add(
    app,
    "trade",
    "tariffs validate trade",
    "tariffs validate trade --known-on 2025-04-10 --json",
    "tariffs validate trade --known-on entry -o hindcast.svg",
)(trade)
_UNEXPLAINED = 1
_TITLES = ("row", "who, when", "figure", "law of", "known on", "horizon")
_RATE_TITLES, _PRICE_TITLES = ("month", "origin", "source"), ("law of", "known")
_BESIDE = ("published", "ours", "difference", "tolerance")
_NUMBERS = ("published", "ours", "low", "high", "difference", "tolerance")


Markdown = Annotated[bool, typer.Option("--markdown", help="Print the tables of docs/reproduction.md.")]


@app.command("economics", epilog=options.examples("tariffs validate economics --json"))
def economics(as_json: options.Json = False, markdown: Markdown = False) -> int:
    """Compare effective rates and trade after the response with figures of Yale, CBO, WTO and others.

    Every figure is computed on US imports of 2024 under the law of its day. A figure outside its tolerance is printed
    with the reason; the exit code is 1 if one has no reason.
    """
    with reporting(True) as report:
        answer: dict[str, Any] = (
            module_of("server", "tariffs.engine.validation.economics").reproduce(progress=report).to_dict()
        )
    rows: list[dict[str, Any]] = answer["rows"]
    if as_json:
        print(json.dumps(answer))
    elif markdown:
        print("\n".join(_markdown(rows)))
    else:
        _show(rows)
    return _exit_code(rows)


@add(app, "collected", "tariffs validate collected --json")
def collected() -> Output:
    """Compare assessed rates with the duty collected, by month and country, and consumer prices with published ones.

    A difference beyond the tolerance is printed with its reason; the exit code is 1 if one has no reason.
    """
    compare = module_of("server", "tariffs.engine.validation.collected").compare_collected
    with reporting(True) as report:
        answer: dict[str, Any] = compare(progress=report).to_dict()
    rates, prices = answer["rows"], answer["prices"]
    return Output(answer, lambda: _show_collected(rates, prices), _exit_code([*rates, *prices]))


@add(app, "collections", "tariffs validate collections --json")
def collections() -> Output:
    """Compare the ladder of `tariffs collections` with duty collected by month and country and with IEEPA duty.

    Its shares were frozen before the months after 2026-02 were seen. A difference beyond the tolerance is printed with
    its reason; the exit code is 1 if one has no reason.
    """
    return _beside("collections", "compare_collections")


@add(app, "households", "tariffs validate households --json")
def households() -> Output:
    """Compare what consumer prices cost tenths of households with the deciles that the Budget Lab at Yale published.

    A difference beyond the tolerance is printed with its reason; the exit code is 1 if one has no reason.
    """
    return _beside("published_deciles", "compare_households")


@add(app, "score", "tariffs validate score --json")
def score() -> Output:
    """Compare revenue by fiscal year with that which the Budget Lab at Yale published.

    A difference beyond the tolerance is printed with its reason; the exit code is 1 if one has no reason.
    """
    return _beside("published_scores", "compare_scores")


def _beside(module: str, name: str) -> Output:
    compare = getattr(module_of("server", f"tariffs.engine.validation.{module}"), name)
    with reporting(True):
        rows: list[dict[str, Any]] = [row.to_dict() for row in compare()]
    return Output({"rows": rows}, lambda: _show_beside(rows), _exit_code(rows))


def _show_beside(rows: list[dict[str, Any]]) -> None:
    out, reasons = console(), _reasons(rows)
    cells = ([row["figure"], *(f"{row[name]:,.6g}" for name in _BESIDE), _mark(row, reasons)] for row in rows)
    out.print(text_table(["figure", *right(*_BESIDE), "within"], cells))
    for reason, number in reasons.items():
        out.print(f"({number}) {reason}", markup=False)


def _exit_code(rows: list[dict[str, Any]]) -> int:
    return _UNEXPLAINED if any(not row["within"] and not row["reason"] for row in rows) else 0


def _show_collected(rates: list[dict[str, Any]], prices: list[dict[str, Any]]) -> None:
    out, reasons = console(), _reasons([*rates, *prices])
    cells = (
        [
            row["month"],
            row["origin"] or "all",
            row["source"],
            *_percents(row, "collected", 1),
            _mark(row, reasons),
        ]
        for row in rates
    )
    numbers = right("collected", "ours", "difference")
    caption = "percent of customs value, and points"
    out.print(text_table([*_RATE_TITLES, *numbers, "within"], cells, caption))
    cells = (
        [row["on"], row["known_on"], *_percents(row, "published", 2), _mark(row, reasons)] for row in prices
    )
    numbers = right("published", "ours", "difference")
    caption = "effect on consumer prices, percent of consumption, by Yale's method"
    out.print(text_table([*_PRICE_TITLES, *numbers, "within"], cells, caption))
    for reason, number in reasons.items():
        out.print(f"({number}) {reason}", markup=False)


def _percents(row: dict[str, Any], theirs: str, digits: int) -> list[str]:
    return [f"{row[name] * 100:.{digits}f}" for name in (theirs, "ours", "difference")]


def _show(rows: list[dict[str, Any]]) -> None:
    out, reasons = console(), _reasons(rows)
    cells = ((*_words(row)[:3], *_cells(row), _mark(row, reasons)) for row in rows)
    caption = "percent, or points; low and high are the parameter sets; USMCA claims of 2025h2 unless a row has others"
    out.print(text_table([*_TITLES[:3], *right(*_NUMBERS), "within"], cells, caption))
    for reason, number in reasons.items():
        out.print(f"({number}) {reason}", markup=False)


def _markdown(rows: list[dict[str, Any]]) -> Iterator[str]:
    titles = (*_TITLES, *_NUMBERS, "within")
    yield f"| {' | '.join(titles)} |"
    yield "|---" * len(titles) + "|"
    reasons = _reasons(rows)
    for row in rows:
        yield f"| {' | '.join((*_words(row), *_cells(row), _mark(row, reasons)))} |"
    yield ""
    for reason, number in reasons.items():
        yield f"{number}. {reason[:1].upper()}{reason[1:]}."


def _words(row: dict[str, Any]) -> tuple[str, ...]:
    about = [*row["origins"], *(f"{name}={value}" for name, value in row["switches"].items())]
    figure = " ".join([row["figure"].replace("_", " "), *about])
    years = row.get("years")
    age = f", {years:g} year{'' if years == 1 else 's'}" if years else ""
    days = " to ".join(filter(None, (row["on"], row.get("until"))))
    return row["row"], row["episode"], figure, days, row["known_on"], row["horizon"] + age


def _cells(row: dict[str, Any]) -> list[str]:
    return [f"{row[name] * 100:.1f}" for name in _NUMBERS]


def _reasons(rows: list[dict[str, Any]]) -> dict[str, int]:
    outside = dict.fromkeys(row["reason"] or "not explained" for row in rows if not row["within"])
    return {reason: number for number, reason in enumerate(outside, start=1)}


def _mark(row: dict[str, Any], reasons: dict[str, int]) -> str:
    return "yes" if row["within"] else f"no ({reasons[row['reason'] or 'not explained']})"
