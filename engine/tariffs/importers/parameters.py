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
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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


@dataclass(frozen=True)
class _Good:
    """Goods whose elasticities are not those of their section.

    Attributes:
        prefix: of the HTS.
        estimates: of sigma in the long run: GTAP ESUBM of the sector, medians over the codes of the prefix.
        spread: standard deviation of the logs of the available estimates, as for sections.
        upper, upper_source: sigma of the set `high`.
        etas: by set.
        demand: source of `etas`.
    """

    prefix: str
    estimates: Mapping[str, float]
    spread: float
    upper: float
    upper_source: str
    etas: Mapping[str, float]
    demand: str


# Patents keep other firms, and so other origins, from making the same drug: the US estimate alone is central.
_GOODS = (
    _Good(
        "30",
        {"Broda-Weinstein": 3.43},
        0.63,
        6.48,
        "geometric mean of GTAP ESUBM 6.6, ProTEE 17.6, Broda-Weinstein 3.43",
        {"impact": 0.17, "short": 0.22, "long": 0.4, "low": 0.17, "high": 0.4},
        "eta of patients: Newhouse et al. 1993 (0.17), Joyce et al. 2002 (0.22 to 0.40)",
    ),
    _Good(
        "2709",
        {"GTAP ESUBM": 10.4},
        0.45,
        10.4,
        "GTAP ESUBM 10.4",
        {"impact": 0.061, "short": 0.061, "long": 0.453, "low": 0.061, "high": 0.453},
        "eta of US demand for crude oil, Cooper 2003 (OPEC Review 27), as cited: the row was not seen",
    ),
    _Good(
        "88",
        {"GTAP ESUBM": 8.6, "ProTEE": 14.44, "Broda-Weinstein": 4.09},
        0.55,
        10.16,
        "geometric mean of GTAP ESUBM 8.6, ProTEE 14.44",
        {"impact": 0.8, "short": 1.16, "long": 3.7, "low": 1.0, "high": 3.7},
        "eta kappa (1 - m) + m of an import share m of 0.18 (BEA 336411, 2024) and kappa 1.19 (Fajgelbaum et al. 2020) "
        "or GTAP ESUBD 4.3; sets impact and low as of all goods",
    ),
    _Good(
        "7108",
        {"GTAP ESUBM": 8.4, "Broda-Weinstein": 10.36},
        0.25,
        9.33,
        "geometric mean of GTAP ESUBM 8.4, Broda-Weinstein 10.36",
        {"impact": 0.8, "short": 1.06, "long": 1.93, "low": 1.0, "high": 1.93},
        "eta kappa (1 - m) + m of an import share m of 0.71 (BEA 331410, 2024) and kappa 1.19 (Fajgelbaum et al. 2020) "
        "or GTAP ESUBD 4.2; sets impact and low as of all goods",
    ),
)

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
    eta: float
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
    for good in _GOODS:
        given = ", ".join(f"{name} {value}" for name, value in good.estimates.items())
        central = f"geometric mean of {given}; {good.demand}"
        long_run = round(_mean_of({name: str(value) for name, value in good.estimates.items()}), 2)
        short = round(SHORT_RUN_MEAN * math.sqrt(long_run / LONG_RUN_MEAN), 2)
        sigmas = {
            "impact": (CONDITIONAL_SIGMA, f"{_IMPACT.partition(';')[0]}; {good.demand}"),
            "short": (short, f"{_SHORT}; {good.demand}"),
            "long": (long_run, central),
            "low": (POOLED_SIGMA, f"{_LOW}; {good.demand}"),
            "high": (good.upper, f"{good.upper_source}; {good.demand}"),
        }
        for name, (sigma, source) in sigmas.items():
            named = _Set(name, sigma, good.etas[name], good.spread, source)
            yield {"hts": good.prefix, **named._asdict()}


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
