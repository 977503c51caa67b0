"""Build the default response parameters from a table of published elasticities by HS section.

The central long-run sigma of those tables is the geometric mean of three published estimates, each capped at
12: GTAP's ESUBM (Hertel et al.), the median of CEPII ProTEE 0.1 (Fontagné, Guimbard and Orefice 2022) and the
median of Broda and Weinstein (2006) at HTS10. The short-run one
scales the mean of Fajgelbaum et al. (2020), 2.53, by the square root of the long-run relative to 5.5.

Run as `python -m tariffs.importers.parameters HS_SECTION_CSV`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.importers.output import read_csv_text, run

Row = Mapping[str, str]

CAP = 12.0
LONG_RUN_MEAN = 5.5
SHORT_RUN_MEAN = 2.53
CONDITIONAL_SIGMA = 1.3
CONDITIONAL_ETA = 0.8
POOLED_SIGMA = 2.0
POOLED_ETA = 1.0

_IMPACT = "Amiti, Redding and Weinstein 2019, 12 months, conditional on trade; eta as Kiel 2026"
_LOW = "Boehm, Levchenko and Pandalai-Nayar 2023, long run"
_SHORT = "Fajgelbaum et al. 2020 mean, spread over products by the long-run estimate"
_OTHER = "mean over products of the other sections"
_EXCEPTION = "goods without US production: demand is that for the good itself"


# Goods the United States does not grow: coffee, bananas, cocoa.
_NOT_PRODUCED = ("0803", "0901", "18")
_NOT_PRODUCED_ETA = {"impact": 0.5, "short": 0.5, "long": 0.8, "low": 0.5, "high": 0.8}


def _mean_of(estimates: Mapping[str, str]) -> float:
    """Average the available estimates geometrically, each capped."""
    values = [min(float(text), CAP) for text in estimates.values() if text]
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))


def _named(estimates: Mapping[str, str]) -> str:
    given = ", ".join(f"{name} {text}" for name, text in estimates.items() if text)
    return f"geometric mean of {given}"


class _Set(NamedTuple):
    """Parameters of one named set; a blank keeps that of the section. Columns of both tables, after their keys."""

    set: str
    sigma: object
    eta: object
    sigma_ln_sd: object
    source: str


def _sets(row: Row, upper: tuple[float, str], central: str) -> Iterator[dict[str, object]]:
    """Compute the five named sets of one section or sector; supply is that of the horizon."""
    spread = row["ln_sd"]
    short, long_run = float(row["sigma_sr"]), float(row["sigma_lr"])
    eta_short, eta_long = float(row.get("eta_sr", 1.5)), float(row.get("eta_lr", 2.0))
    for named in (
        _Set("impact", CONDITIONAL_SIGMA, CONDITIONAL_ETA, spread, _IMPACT),
        _Set("short", short, eta_short, spread, _SHORT),
        _Set("long", long_run, eta_long, spread, central),
        _Set("low", POOLED_SIGMA, POOLED_ETA, spread, _LOW),
        _Set("high", round(max(upper[0], long_run), 2), eta_long, spread, upper[1]),
    ):
        yield named._asdict()


def section_rows(rows: Sequence[Row]) -> Iterator[dict[str, object]]:
    """Build the table by HS section: section, chapter_from, chapter_to, then one named set."""
    for row in rows:
        section = row["section"].split()[0]
        first, last = row["chapters"].split("-")
        estimates = {"GTAP ESUBM": row["gtap_esubm"], "ProTEE": row["protee"]}
        central = _named({**estimates, "Broda-Weinstein": row["bw_hts10"]})
        upper = (_mean_of(estimates), _named(estimates))
        if section == "XXI":
            central = "set by judgement: unique works have few substitutes"
            upper = (float(row["lr_p90"]), "90th percentile of the judged spread")
        for named in _sets(row, upper, central):
            yield {"section": section, "chapter_from": first, "chapter_to": last, **named}
    mean = {"sigma_sr": str(SHORT_RUN_MEAN), "sigma_lr": str(LONG_RUN_MEAN), "ln_sd": "0.70"}
    for first, last in (("77", "77"), ("98", "99")):
        for named in _sets(mean, (_upper_mean(rows), _OTHER), _OTHER):
            yield {"section": "other", "chapter_from": first, "chapter_to": last, **named}


def _upper_mean(rows: Sequence[Row]) -> float:
    logs = [math.log(_mean_of({"ESUBM": row["gtap_esubm"], "ProTEE": row["protee"]})) for row in rows]
    return math.exp(math.fsum(logs) / len(logs))


def exception_rows() -> Iterator[dict[str, object]]:
    """Build the table of goods with elasticities of their own, by HTS prefix; a blank keeps that of the section."""
    for prefix in _NOT_PRODUCED:
        for name, eta in _NOT_PRODUCED_ETA.items():
            yield {"hts": prefix, **_Set(name, "", eta, "", _EXCEPTION)._asdict()}
    for prefix, good in load_yaml(Path(__file__).with_name("goods.yaml")).items():
        long_run = round(_mean_of(good["estimates"]), 2)
        short = round(SHORT_RUN_MEAN * math.sqrt(long_run / LONG_RUN_MEAN), 2)
        sigmas = {
            "impact": (CONDITIONAL_SIGMA, _IMPACT.partition(";")[0]),
            "short": (short, _SHORT),
            "long": (long_run, _named(good["estimates"])),
            "low": (POOLED_SIGMA, _LOW),
            "high": (good["upper"], good["upper_source"]),
        }
        for name, (sigma, source) in sigmas.items():
            named = _Set(name, sigma, good["etas"][name], good["spread"], f"{source}; {good['demand']}")
            yield {"hts": prefix, **named._asdict()}


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    listed = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)


_ENGINE = Path(__file__).parents[1] / "engine"


def build(sections: Path, target: Path) -> None:
    """Write the two tables of `tariffs.engine.response.elasticities.parameters` into `target`."""
    target.mkdir(parents=True, exist_ok=True)
    _write(target / "hs_sections.csv", section_rows(read_csv_text(sections)))
    _write(target / "product_exceptions.csv", exception_rows())


if __name__ == "__main__":
    run(build, __doc__, _ENGINE / "response" / "data")
