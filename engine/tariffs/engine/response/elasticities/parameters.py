"""Elasticities of the response models: default tables, named sets, horizons and user files.

The defaults by HS section are in `data/`; each row names its source. A set is `impact`
(within six months), `short` or `long`, or one of the bounds `low` and `high`, which leave the supply
elasticity to the horizon. See docs/models/parameters.md.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.response.constants import constant, digest, longest_prefix, table, table_bytes
from tariffs.engine.response.inputs import ELASTICITY, SUPPLY, VALUE, Floats, Ints, Range, invalid

IMPACT, SHORT = "impact", "short"
STAGES = (IMPACT, SHORT, "long")
"""Horizons with elasticities of their own, in the order of the age of a change of duty."""
PATH = "path"
"""Horizon at which each change of duty has the elasticities of its age."""
HORIZONS = (PATH, *STAGES)
DEFAULT_HORIZON = PATH
"""Horizon of a run that names none."""
BOUNDS = ("low", "high")
CENTRAL, WITS = "central", "wits"
SETS = (CENTRAL, *BOUNDS, WITS)
"""Names of sets besides those of the horizons."""
LEAST_SIGMA = constant("sigma_least")
GREATEST_SIGMA = constant("sigma_greatest")
"""Upper bound of drawn values of sigma; the lower is `LEAST_SIGMA`."""

_SECTIONS, _EXCEPTIONS = "hs_sections.csv", "product_exceptions.csv"
_IMPORTERS = "importer_sigmas.csv"
_OF_IMPORTERS = ("short", "long")
"""Sets whose sigma differs between importers; the others rest on estimates that are no importer's."""
HORIZON_SUPPLY = {stage: constant(f"supply_{stage}") for stage in STAGES}
"""Default export supply elasticity by horizon."""
_WITS_SIGMA = constant("sigma_wits")
_WITS_SOURCE = "defaults of SMART in WITS (World Bank): sigma 1.5, export supply 99, taken as flat"
HORIZON_ETA = {stage: constant(f"eta_{stage}") for stage in STAGES}
"""Usual elasticity of demand for imports by horizon."""
_USER_RANGES = {
    "sigma": ELASTICITY,
    "eta": ELASTICITY,
    "supply": SUPPLY,
    "spread": ELASTICITY,
    "kappa": ELASTICITY,
    "domestic_ratio": VALUE,
    "theta": Range(0.0, above=True),
}
_OF_SECTORS = frozenset({"theta"})
"""Values of a user's file that are of sectors, not of products."""
_NUMBERS = ("sigma", "eta", "supply", "spread", "kappa", "domestic_ratio")
Overrides = Mapping[str, float]
"""Values by field of `Elasticities`, and theta, that a user's file gives for a code prefix."""


@dataclass(frozen=True, slots=True)
class Elasticities:
    """Elasticities of one product.

    Attributes:
        sigma: substitution between origins.
        eta: elasticity of demand for imports of the product.
        supply: export supply elasticity, infinite if flat.
        spread: standard deviation of ln sigma of long-run estimates.
        source: citation of the values.
        kappa: substitution between imports and domestic goods; NaN if there are none.
        domestic_ratio: domestic shipments per dollar of landed imports at the baseline.
    """

    sigma: float
    eta: float
    supply: float
    spread: float
    source: str
    kappa: float = math.nan
    domestic_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class ProductParameters:
    """Elasticities of a list of products, in its order.

    Attributes:
        sigma, eta, supply, spread, kappa, domestic_ratio: one per product, as in `Elasticities`.
        sources: the distinct sources.
        source: index into `sources`, one per product.
        set: name of the set, or of the user's file.
        horizon: the horizon.
        digest: hex SHA-256 of the set: of all tables, of the user's file, of horizon and set name.
        notes: warnings about the use of these values.
        foreign: importing countries without estimates of their own, which have the values of the United States.
    """

    sigma: Floats
    eta: Floats
    supply: Floats
    spread: Floats
    kappa: Floats
    domestic_ratio: Floats
    sources: tuple[str, ...]
    source: Ints
    set: str
    horizon: str
    digest: str
    notes: tuple[str, ...]
    foreign: tuple[str, ...]

    @property
    def columns(self) -> Floats:
        """Sigma, eta and inverse supply of the products by horizon (horizons x 3 x products)."""
        return np.array([[self.sigma, self.eta, 1.0 / self.supply]])

    def scaled(self, factors: Mapping[str, float]) -> ProductParameters:
        """Multiply elasticities by name.

        Raises:
            InputError: PARAMETER_INVALID for an elasticity of sectors.
        """
        for name in factors.keys() & _OF_SECTORS:
            raise invalid(f"elasticity.{name}", f"The model has no {name}.", "Choose the response exact_hat.")
        return replace(self, **{name: getattr(self, name) * factor for name, factor in factors.items()})


def _chapters_of(row: Mapping[str, str]) -> list[str]:
    return [f"{chapter:02d}" for chapter in range(int(row["chapter_from"]), int(row["chapter_to"]) + 1)]


@cache
def _by_chapter(name: str, horizon: str) -> Mapping[str, Elasticities]:
    found: dict[str, Elasticities] = {}
    for row in (row for row in table(_SECTIONS) if row["set"] == name):
        sigma, eta, spread = (float(row[column]) for column in ("sigma", "eta", "sigma_ln_sd"))
        section = Elasticities(sigma, eta, HORIZON_SUPPLY[horizon], spread, row["source"])
        found |= dict.fromkeys(_chapters_of(row), section)
    return found


@cache
def _exceptions(name: str) -> Mapping[str, Mapping[str, str]]:
    return {row["hts"]: row for row in table(_EXCEPTIONS) if row["set"] == name}


@cache
def _importers() -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Read the estimates of importing countries (ISO codes) by section."""
    return {(row["importer"], row["section"]): row for row in table(_IMPORTERS)}


def _with_exception(section: Elasticities, exception: Mapping[str, str]) -> Elasticities:
    """Replace values of a section by those of goods with elasticities of their own; a blank keeps the section's."""
    eta = float(exception["eta"])
    if not exception["sigma"]:
        return replace(section, eta=eta, source=f"{section.source}; {exception['source']}")
    sigma, spread = float(exception["sigma"]), float(exception["sigma_ln_sd"])
    return replace(section, sigma=sigma, eta=eta, spread=spread, source=exception["source"])


@cache
def _sections() -> tuple[tuple[str, ...], Mapping[str, int]]:
    names = tuple(dict.fromkeys(row["section"] for row in table(_SECTIONS)))
    pairs = (
        (chapter, names.index(row["section"])) for row in table(_SECTIONS) for chapter in _chapters_of(row)
    )
    return names, dict(pairs)


def sections_of(codes: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """List the names of all HS sections, and the index of each code's section."""
    names, chapters = _sections()
    return names, np.array([chapters[code[:2]] for code in codes], dtype=np.int64)


def _cell(row: Mapping[str, str | None], name: str, allowed: Range, line: int) -> float | None:
    text = (row.get(name) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if allowed.broken(np.array([value]))[0]:
        raise invalid(name, f"line {line}: {name} is {text!r}.", fix=f"It must be {allowed}.", line=line)
    return value


def read_parameters(path: Path) -> dict[str, Overrides]:
    """Read a user's parameters: CSV with hts (a prefix), the columns of `Elasticities` and theta; blank is default.

    Raises:
        InputError: PARAMETER_INVALID if the file cannot be read, lacks `hts`, has a column of another name, a
            prefix twice, or a value out of range, with the line of the file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise invalid("parameters", f"the parameter file cannot be read: {error}.") from error
    wrong = [name for name in columns if name not in {"hts", *_USER_RANGES}]
    if "hts" not in columns or wrong:
        why = f"the parameter file has the columns {', '.join(columns) or 'none'}."
        raise invalid("parameters", why, fix=f"It must have hts and may have {', '.join(_USER_RANGES)}.")
    overrides: dict[str, Overrides] = {}
    for line, row in enumerate(rows, start=2):
        if None in row:
            raise invalid("parameters", f"line {line}: more cells than columns.", line=line)
        prefix = (row["hts"] or "").replace(".", "").replace(" ", "")
        if not (prefix.isascii() and prefix.isdigit() and 2 <= len(prefix) <= 10):
            raise invalid("hts", f"line {line}: {row['hts']!r} is not a prefix of 2 to 10 digits.", line=line)
        if prefix in overrides:
            raise invalid("hts", f"line {line}: the prefix {prefix} is given twice.", line=line)
        cells = {name: _cell(row, name, allowed, line) for name, allowed in _USER_RANGES.items()}
        values = {name: value for name, value in cells.items() if value is not None}
        if values.get("domestic_ratio") and "kappa" not in values:
            why = f"line {line}: domestic_ratio without kappa."
            raise invalid("kappa", why, fix="Give kappa as well.", line=line)
        overrides[prefix] = values
    return overrides


def _of_importer(section: Elasticities, code: str, importer: str, name: str) -> Elasticities:
    """Replace sigma of a section by that of the importing country, where one is estimated."""
    names, chapters = _sections()
    own = _importers().get((importer, names[chapters[code[:2]]]))
    if own is None or name not in _OF_IMPORTERS:
        return section
    source = f"{importer}: {own['source']}"
    return replace(section, sigma=float(own[name]), spread=float(own["sigma_ln_sd"]), source=source)


def _of_code(
    code: str, importer: str, name: str, horizon: str, overrides: Mapping[str, Overrides]
) -> Elasticities:
    if not (code.isascii() and code.isdigit() and len(code) >= 2):
        why, fix = f"{code!r} is not an HTS code.", "Give 4 to 10 digits without dots."
        raise InputError("HTS_CODE_MALFORMED", why, field="hts", fix=fix)
    table = horizon if name == WITS else name
    defaults = _by_chapter(table, horizon).get(code[:2])
    if defaults is None:
        raise InputError("HTS_CODE_UNKNOWN", f"{code} is in no chapter of the tariff.", field="hts")
    defaults = _of_importer(defaults, code, importer, table)
    exception = longest_prefix(code, _exceptions(table))
    if exception is not None:
        defaults = _with_exception(defaults, _exceptions(table)[exception])
    if name == WITS:
        source = f"{_WITS_SOURCE}; eta: {defaults.source}"
        defaults = replace(defaults, sigma=_WITS_SIGMA, supply=math.inf, source=source)
    prefix = longest_prefix(code, overrides)
    if prefix is None:
        return defaults
    own = {name: value for name, value in overrides[prefix].items() if name not in _OF_SECTORS}
    return replace(defaults, source=f"given for {prefix}", **own) if own else defaults


def numbered_sources(cited: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """List distinct sources, and the index of each citation among them."""
    sources = tuple(dict.fromkeys(cited))
    place = {source: index for index, source in enumerate(sources)}
    return sources, np.array([place[source] for source in cited], dtype=np.int64)


def _aggregated(codes: Iterable[str]) -> tuple[str, ...]:
    short = sum(len(code) < 6 for code in codes)
    if not short:
        return ()
    return (
        f"{short} codes are coarser than HS6: sigma is estimated for single products and overstates "
        "substitution in aggregates, where it is about half as large.",
    )


def _checked(horizon: str, name: str) -> None:
    if horizon not in STAGES:
        raise invalid("horizon", f"{horizon!r} is not a horizon.", fix=f"Use {', '.join(STAGES)}.")
    if name not in STAGES + SETS:
        raise invalid("set", f"{name!r} is not a set.", fix=f"Use {', '.join(SETS)} or a file.")


def parameters_for(
    hts: pl.Series | Sequence[str],
    *,
    horizon: str = "short",
    set: str | Path | None = None,
    importers: Sequence[str] = (),
) -> ProductParameters:
    """Look up elasticities of products by HTS code.

    Args:
        hts: codes of 2 to 10 digits without dots.
        horizon: impact, short or long.
        set: low or high for a bound, wits for the defaults of SMART in WITS, a path for a user's CSV over the
            horizon's defaults, None or central for those.
        importers: the country that imports each product, as an ISO code; empty for the United States.

    Raises:
        InputError: PARAMETER_INVALID for an unknown horizon or set or a bad file; HTS_CODE_MALFORMED or
            HTS_CODE_UNKNOWN for a code.
    """
    named = isinstance(set, str) and set in STAGES + SETS
    name = str(set) if named and set != CENTRAL else horizon
    _checked(horizon, name)
    path = None if set is None or named else Path(set)
    if path is not None and isinstance(set, str) and not path.exists():
        _checked(horizon, set)
    overrides = {} if path is None else read_parameters(path)
    codes = pl.Series("hts", hts, dtype=pl.String)
    if codes.null_count():
        raise InputError("HTS_CODE_MALFORMED", "a code is missing.", field="hts")
    keys = pl.DataFrame([codes, pl.Series("importer", importers or [""] * len(codes), dtype=pl.String)])
    listed = keys.unique(maintain_order=True)
    elasticities = [
        _of_code(code, importer, name, horizon, overrides) for code, importer in listed.iter_rows()
    ]
    sources, source = numbered_sources([each.source for each in elasticities])
    read = [_SECTIONS, _EXCEPTIONS, *([_IMPORTERS] if importers else [])]
    positions = listed.with_row_index("at")
    at = keys.join(positions, on=["hts", "importer"], how="left", maintain_order="left")["at"].to_numpy()
    return ProductParameters(
        **{
            name: np.array([getattr(each, name) for each in elasticities], dtype=np.float64)[at]
            for name in _NUMBERS
        },
        sources=sources,
        source=source[at],
        set=name if path is None else path.name,
        horizon=horizon,
        digest=digest(
            f"{horizon}\0{name}\0".encode(),
            *map(table_bytes, read),
            b"" if path is None else path.read_bytes(),
        ),
        notes=_aggregated(listed["hts"]),
        foreign=tuple(sorted({*importers} - {importer for importer, _ in _importers()})),
    )
