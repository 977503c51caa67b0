"""Read tables of the world and tariffs between countries: embedded, and in the documented forms of a user's files.

A table is files by name, Parquet or CSV; see docs/models/world.md for their columns.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.errors import InputError
from tariffs.engine.response.constants import digest, table_bytes
from tariffs.engine.response.world.one_sector import OneSectorTable, make_table
from tariffs.engine.response.world.sectors import SectorTable

EMBEDDED = ("world_trade_2023.parquet", "world_countries_2023.csv")
"""Files of the embedded table."""
_SOURCE = "BACI HS22 V202501 of CEPII (Etalab 2.0), trade of 2023; GDP of 2023, World Bank WDI (CC BY 4.0)"
Files = Mapping[str, bytes]


@cache
def baseline() -> OneSectorTable:
    """Read the embedded table of one sector: 194 countries, goods of 2023."""
    return one_sector_table({name: table_bytes(name) for name in EMBEDDED}, _SOURCE)


def home() -> str:
    """Code of the home country of the embedded table, alpha-3."""
    return baseline().home


def one_sector_table(files: Files, source: str = "") -> OneSectorTable:
    """Read a table of one sector.

    Args:
        files: `*trade*` with `exporter, importer` and `value_usd` or `value_kusd`; `*countries*` with `iso3, gdp_usd`
            and, where the home country is another than that of the embedded table, `is_home`.
        source: what the data are; default: the digest of the files.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    countries = frame_in(files, "countries", ("iso3", "gdp_usd"))
    codes = countries["iso3"].to_list()
    trade = frame_in(files, "trade", ("exporter", "importer"))
    value = _column(trade, r"value_(k?)usd", "trade")
    flows = _filled(trade, [("exporter", codes), ("importer", codes)], trade[value])
    if value.endswith("kusd"):
        flows *= 1_000.0
    np.fill_diagonal(flows, 0.0)
    gdp = countries["gdp_usd"].cast(pl.Float64).to_numpy()
    if not (gdp > 0.0).all() or not np.isfinite(flows).all() or (flows < 0.0).any():
        raise invalid_table("GDP must be above 0, and trade 0 or more.")
    marked = (
        countries.filter(pl.col("is_home") == 1)["iso3"].to_list() if "is_home" in countries.columns else []
    )
    return make_table(codes, _home_in(codes, marked), flows, gdp, source or digest_of(files))


def sector_table(files: Files) -> SectorTable:
    """Read a table of many sectors.

    Args:
        files: `*labels*` with `kind, no, code, name, theta` of countries and sectors; `*trade_tariffs*` with
            `sector_no, importer, exporter, trade*_usd, tariff*_pct`; `*sector_country*` with `country, sector_no,
            gross_output*_usd, va_share`; `*io*` with `country, input_sector_no, using_sector_no,
            share_of_intermediates`.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    labels = frame_in(files, "labels", ("kind", "no", "code", "name", "theta"))
    codes = labels.filter(pl.col("kind") == "country").sort("no")["code"].to_list()
    sectors = labels.filter(pl.col("kind") == "sector").sort("no")
    numbers = sectors["no"].to_list()
    trade = frame_in(files, "trade_tariffs", ("sector_no", "importer", "exporter"))
    places = [("sector_no", numbers), ("exporter", codes), ("importer", codes)]
    made = frame_in(files, "sector_country", ("country", "sector_no", "va_share"))
    made_at = [("country", codes), ("sector_no", numbers)]
    inputs = frame_in(
        files, "io", ("country", "input_sector_no", "using_sector_no", "share_of_intermediates")
    )
    inputs_at = [("country", codes), ("input_sector_no", numbers), ("using_sector_no", numbers)]
    table = SectorTable(
        countries=tuple(codes),
        sectors=tuple(sectors["name"]),
        home=_home_in(codes, []),
        theta=sectors["theta"].cast(pl.Float64).to_numpy(),
        flows=_filled(trade, places, trade[_column(trade, r"trade.*_usd", "trade_tariffs")]),
        tariffs=_filled(trade, places, trade[_column(trade, r"tariff.*_pct", "trade_tariffs")]) / 100.0,
        output=_filled(made, made_at, made[_column(made, r"gross_output.*_usd", "sector_country")]),
        value_added=_filled(made, made_at, made["va_share"]),
        inputs=_filled(inputs, inputs_at, inputs["share_of_intermediates"]),
        source=digest_of(files),
    )
    return checked(table)


def checked(table: SectorTable) -> SectorTable:
    """Check the ranges of a table of many sectors.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    if not (table.theta > 0.0).all():
        raise invalid_table("A sector has no theta above 0.")
    amounts = (table.flows, table.output)
    if not all(np.isfinite(one).all() and (one >= 0.0).all() for one in amounts):
        raise invalid_table("Trade and output must be 0 or more.")
    if not ((table.value_added >= 0.0) & (table.value_added <= 1.0)).all() or not (table.wages > 0.0).all():
        raise invalid_table("Value added must be between 0 and output, and above 0 in each country.")
    if not (table.tariffs > -1.0).all():
        raise invalid_table("A tariff is -100 % or less.")
    return table


def with_rates(table: OneSectorTable | SectorTable, base: F64, rates: pl.DataFrame) -> F64:
    """Put tariffs of a frame in the place of base tariffs.

    Args:
        table: table whose countries and sectors the frame names.
        base: tariffs as fractions, [sector by] exporter by importer.
        rates: `importer, exporter, rate`, fractions, and `sector` (name or number from 1) where there are many; without
            it a rate is of all sectors. Pairs left out keep their base, and so does a country's own pair at 0.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    missing = {"importer", "exporter", "rate"} - set(rates.columns)
    if missing:
        raise invalid_table(f"The tariffs have no column {', '.join(sorted(missing))}.")
    values = rates["rate"].cast(pl.Float64, strict=False).to_numpy()
    wrong = ~(np.isfinite(values) & (values > -1.0))
    if wrong.any():
        rate = rates["rate"][int(wrong.argmax())]
        raise invalid_table(f"The rate {rate!r} of the tariffs is no fraction above -1, such as 0.25.")
    is_own = rates["exporter"] == rates["importer"]
    if (is_own & (rates["rate"].cast(pl.Float64) != 0.0)).any():
        raise invalid_table("The tariffs charge a country's own goods.")
    rates, values = rates.filter(~is_own), values[~is_own.to_numpy()]
    found = base.copy()
    exporter, importer = (_places(rates, name, table.countries) for name in ("exporter", "importer"))
    if "sector" not in rates.columns:
        found[..., exporter, importer] = values
    elif isinstance(table, SectorTable):
        numbers = [str(number) for number in range(1, len(table.sectors) + 1)]
        named = dict(zip(table.sectors, numbers, strict=True))
        sector = rates.with_columns(pl.col("sector").cast(pl.String).replace(named))
        found[_places(sector, "sector", numbers), exporter, importer] = values
    else:
        raise invalid_table("The tariffs have a column sector, and the table has one sector.")
    return found


def frame_in(files: Files, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """Read the file whose name has a word, and check its columns."""
    matching = [file for file in sorted(files) if re.search(rf"(^|[_/]){name}(_\d+)?\.(parquet|csv)$", file)]
    if len(matching) != 1:
        raise invalid_table(
            f"There must be one file *{name}.parquet or *{name}.csv, and there are {len(matching)}."
        )
    source = io.BytesIO(files[matching[0]])
    try:
        is_csv = matching[0].endswith(".csv")
        frame = pl.read_csv(source, infer_schema_length=None) if is_csv else pl.read_parquet(source)
    except pl.exceptions.PolarsError as error:
        raise invalid_table(f"{matching[0]} cannot be read: {str(error).splitlines()[0]}") from error
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise invalid_table(f"{matching[0]} has no column {', '.join(missing)}.")
    return frame


def _column(frame: pl.DataFrame, pattern: str, file: str) -> str:
    """Name of the first column of a pattern, such as that of the first year."""
    found = sorted(name for name in frame.columns if re.fullmatch(pattern, name))
    if not found:
        raise invalid_table(f"The file {file} has no column {pattern.replace('.*', '*')}.")
    return found[0]


def _filled(frame: pl.DataFrame, axes: Sequence[tuple[str, Sequence[object]]], values: pl.Series) -> F64:
    """Put a column into an array by its keys; what the frame leaves out is 0."""
    filled = np.zeros([len(names) for _, names in axes])
    filled[tuple(_places(frame, column, names) for column, names in axes)] = values.cast(
        pl.Float64
    ).fill_null(0.0)
    return filled


def _places(frame: pl.DataFrame, column: str, names: Iterable[object]) -> np.ndarray:
    """Places of the values of a column among names."""
    place = {str(name): number for number, name in enumerate(names)}
    found = [place.get(str(value), -1) for value in frame[column]]
    if -1 in found:
        value = frame[column][found.index(-1)]
        some = f"{', '.join([*place][:3])} and so on"
        raise invalid_table(f"{column} {value!r} is not in the table, which has {some}.")
    return np.array(found, dtype=np.int64)


def _home_in(codes: Sequence[str], marked: Sequence[str]) -> str:
    code = marked[0] if marked else home()
    if code not in codes:
        raise invalid_table(f"The table has no country {code}.")
    return code


def digest_of(files: Files) -> str:
    """Name files by their digest, for the provenance."""
    return f"files of SHA-256 {digest(*(files[name] for name in sorted(files)))}"


def invalid_table(message: str) -> InputError:
    """Make the error of a table or tariffs that cannot be used."""
    return InputError(
        "TABLE_UNREADABLE", message, field="trade", fix="See the forms of tables in docs/models/world.md."
    )


_MILLION = 1e6
_OUTPUT = ("OUT", "OUTPUT")


def any_sector_table(files: Files) -> SectorTable:
    """Read a table of many sectors: one of ICIO with `*thetas*` (`industry, theta`) beside it, else as `sector_table`.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    tables = [name for name in sorted(files) if "icio" in name.lower()]
    if not tables:
        return sector_table(files)
    thetas = frame_in(files, "thetas", ("industry", "theta"))
    by_industry = dict(zip(thetas["industry"], thetas["theta"].cast(pl.Float64), strict=True))
    return icio_table(files[tables[0]], by_industry, source=digest_of(files))


def icio_table(data: bytes, theta: Mapping[str, float], source: str = "OECD ICIO") -> SectorTable:
    """Read the inter-country input-output tables of the OECD in their CSV layout into a table of many sectors.

    The first column names rows and the header columns, both `COUNTRY_INDUSTRY`; columns of final demand are
    `COUNTRY_CATEGORY`, and output is the row or column `OUT` (`OUTPUT`). Amounts are million USD at basic prices. Value
    added is what inputs leave of output, taxes on products with it. Base tariffs are 0: `with_rates` puts others in
    their place. Sales that changes of inventories make negative are taken as 0.

    Args:
        data: the CSV file.
        theta: trade elasticity of each industry, by its code.
        source: what the data are.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    try:
        frame = pl.read_csv(io.BytesIO(data), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise invalid_table(f"The table cannot be read: {str(error).splitlines()[0]}") from error
    label = frame.columns[0]
    # Names such as `ARG_A01_02` have underscores after the first, rows of taxes, value added and output none.
    sellers = frame.filter(pl.col(label).cast(pl.String).str.contains("_"))
    names = [(name.partition("_")[0], name.partition("_")[2]) for name in map(str, sellers[label])]
    countries, sectors = (list(dict.fromkeys(name[place] for name in names)) for place in (0, 1))
    if len(names) != len(countries) * len(sectors):
        raise invalid_table(
            f"{len(names)} rows are no {len(countries)} countries of {len(sectors)} industries each."
        )
    missing = [sector for sector in sectors if sector not in theta]
    if missing:
        raise invalid_table(f"No theta is given for {', '.join(missing)}.")
    if (chosen := home()) not in countries:
        raise invalid_table(f"The table has no country {chosen}.")
    out = [name for name in _OUTPUT if name in frame.columns]
    buyers = [name for name in frame.columns[1:] if name.partition("_")[0] in countries]
    if not out or not buyers:
        raise invalid_table("The table has no column of output, or none of buyers.")
    shape = len(countries), len(sectors)
    seller = _grid_places(names, countries, sectors)
    sold = np.zeros((*shape, len(buyers)))
    sold[seller] = sellers.select(buyers).cast(pl.Float64).to_numpy() * _MILLION
    output = np.zeros(shape)
    output[seller] = sellers[out[0]].cast(pl.Float64).to_numpy() * _MILLION
    importer = np.array([countries.index(name.partition("_")[0]) for name in buyers])
    flows = np.zeros((len(sectors), len(countries), len(countries)))
    inputs = np.zeros((len(countries), len(sectors), len(sectors)))
    for column, name in enumerate(buyers):
        flows[:, :, importer[column]] += sold[:, :, column].T
        industry = name.partition("_")[2]
        if industry in sectors:
            inputs[importer[column], :, sectors.index(industry)] += sold[:, :, column].sum(axis=0)
    flows[:, range(len(countries)), range(len(countries))] = 0.0
    return checked(
        SectorTable(
            countries=tuple(countries),
            sectors=tuple(sectors),
            home=chosen,
            theta=np.array([theta[sector] for sector in sectors]),
            flows=np.maximum(flows, 0.0),
            tariffs=np.zeros_like(flows),
            output=output,
            value_added=_added(inputs.sum(axis=1), output),
            inputs=inputs,
            source=source,
        )
    )


def _grid_places(
    names: list[tuple[str, str]], countries: list[str], sectors: list[str]
) -> tuple[list[int], list[int]]:
    return [countries.index(name[0]) for name in names], [sectors.index(name[1]) for name in names]


def _added(inputs: F64, output: F64) -> F64:
    """Share of output that inputs leave; 1 where nothing is made."""
    used: F64 = np.divide(inputs, output, out=np.zeros_like(output), where=output > 0.0)
    return np.clip(1.0 - used, 0.0, 1.0)
