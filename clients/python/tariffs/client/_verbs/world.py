"""Client method that solves the world in general equilibrium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire import requests
from tariffs.client._wire.frames import Table, encode, read_table
from tariffs.client._wire.reading import read
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.world import World
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import simulation_service_pb2

_SUFFIXES = {".parquet", ".csv"}


class WorldOptions(LawOptions, total=False):
    """Options of the world; docs/models/world.md has the equations.

    Attributes:
        model: `one_sector` (default), or `sectors` over a table of your own.
        elasticity: trade elasticity (eps) of one sector; 4.
        labour: elasticity of labour supply to the real wage (kappa); 0.5.
        scale: elasticity of productivity to employment (psi); 0.67 / 4, whatever `elasticity` is.
        firm_elasticity: elasticity between the goods of firms (theta); 4 / 0.67, whatever `elasticity` is.
        pass_through: pass-through of tariffs to consumers (phi~); 1.
        destination_share: share of a sale that stays with its destination (nu) everywhere; by default the two values
            of the table, for the United States and for all others.
        price_elasticity: elasticity of consumer prices to tariffs (phi) everywhere; by default from `pass_through` and
            nu. With `destination_share=0` and 1 here it is the variant of Eaton, Kortum and Krugman.
        rebate: `income_tax` (default) lowers the tax on labour by the tariff revenue, `lump_sum` hands it out.
        deficits: `transfers` keeps each a fixed share of world income (default of one sector), `balanced_with_us` takes
            the balance with the United States off it, `zero` begins from a world without deficits (default of many).
        retaliation: what partners charge on goods of the United States: `none` (default), `law` (export law of China
            and Canada under the scenario), `reciprocal`, or `optimal` (published formula; of many sectors the one rate
            that is best for them together).
        retaliation_rate: one rate of all partners, a fraction, in the place of `retaliation`.
        reaction: slope of reactions: what partners add for 1 that is added on their goods; `reciprocal` is 1.
        draws: draws of the trade elasticity for ranges, a power of two from 16 (64 is enough); 0: no ranges.
    """

    model: str
    elasticity: float
    labour: float
    scale: float
    firm_elasticity: float
    pass_through: float
    destination_share: float
    price_elasticity: float
    rebate: str
    deficits: str
    retaliation: str
    retaliation_rate: float
    reaction: float
    draws: int


_TEXTS = ("model", "rebate", "deficits", "retaliation")
NUMBERS = (
    "elasticity", "pass_through", "labour", "scale", "firm_elasticity", "destination_share", "price_elasticity",
    "retaliation_rate", "reaction",
)  # fmt: skip
"""Parameters that are numbers."""


class WorldCalls(RemoteCalls):
    """The world in general equilibrium; mixed into `Client`."""

    def world(
        self,
        scenario: ScenarioLike | None = None,
        *,
        on: Day = "",
        tariffs: Table | None = None,
        trade: str | Path | None = None,
        players: Sequence[str] = (),
        timeout: float | None = None,
        **options: Unpack[WorldOptions],
    ) -> World:
        """Solve the world under a scenario of the law, or under given tariffs.

        Args:
            scenario: library name, `*.yaml` path, or `Scenario`; its mean duties by partner are solved for.
            on: day of the law; by default its as-of day.
            tariffs: in the place of a scenario a table with `importer, exporter` (alpha-3 codes), `rate` (fraction)
                and for many sectors `sector`; pairs left out keep their base rate.
            trade: directory with a table of the world; by default the embedded one of 2023.
            players: countries that choose the uniform tariff that is best for them: codes, or several with + between
                that choose together. One alone counts the answers of partners; several reach a Nash point.
            timeout: seconds; by default the config's deadline of an impact.
            **options: `help(tariffs.client.WorldOptions)`; of the law `known_on`, `switches`, `min_confidence`,
                `parameters` and `law_version`.

        Raises:
            InvalidRequest: PARAMETER_INVALID, TABLE_UNREADABLE, or NO_EQUILIBRIUM if none was found.
        """
        own: dict[str, object] = {}
        for name in [name for name in (*_TEXTS, *NUMBERS) if name in options]:
            value = options.pop(name)  # type: ignore[misc]  # names of a TypedDict must be literals
            if value is not None and value != "":
                own[name] = (arguments.text if name in _TEXTS else arguments.number)(value, name)
        own["draws"] = arguments.whole(options.pop("draws", 0), "draws", 2**31)
        request = requests.law_request(
            "world",
            simulation_service_pb2.SolveWorldRequest,
            options,
            scenario=requests.scenario_ref(scenario),
            on=arguments.day(on, "on"),
            tariffs=b"" if tariffs is None else encode(read_table(tariffs)),
            trade=_files(trade),
            players=arguments.names(players, "players"),
            **own,
        )
        return read(World, self._call(request, timeout, "impact"))


def _files(trade: str | Path | None) -> Mapping[str, bytes]:
    """Read the files of a table of the world."""
    if trade is None:
        return {}
    try:
        folder = Path(trade)
        inside = [path for one in folder.iterdir() for path in ([one] if one.is_file() else one.glob("*"))]
        found = [path for path in sorted(inside) if path.suffix in _SUFFIXES]
        return {path.name: path.read_bytes() for path in found}
    except OSError as error:
        raise InvalidRequest(
            "TABLE_UNREADABLE",
            f"{trade}: {error.strerror}.",
            field="trade",
            fix="Name the directory with the files of a table of the world.",
        ) from error
