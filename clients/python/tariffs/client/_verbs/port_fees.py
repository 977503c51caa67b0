"""Client method that computes the cost of port fees."""

from __future__ import annotations

from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire import requests
from tariffs.client._wire.reading import read
from tariffs.client._wire.requests import Money, ScenarioLike
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.port_fees import PortFees
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import law_service_pb2


class PortFeeCalls(RemoteCalls):
    """Cost of port fees; mixed into `Client`."""

    def port_fees(
        self,
        on: Day = "",
        *,
        kind: str = "",
        ship: str = "",
        net_tons: Money | None = None,
        teu: Money | None = None,
        cargo_tons: Money | None = None,
        containers: Money | None = None,
        calls: Money | None = None,
        share: Money | None = None,
        usd_per_unit: Money | None = None,
        source: str = "",
        scenario: ScenarioLike | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> PortFees:
        """Compute port fees per container and ton on a day, for your voyage or for voyages from public sources.

        Args:
            on: day or instant of the call; by default the law's as-of day.
            kind: kind of ship the fee is on (operated, built, vehicle_carrier, linked); empty is every fee on every
                voyage the law data has sources for.
            ship: voyage of a public source to start from, such as container or bulk.
            net_tons: net tonnage of the ship.
            teu: containers (TEU) landed over all fee-paying calls. A sourced cargo counts only with its own ship.
            cargo_tons: metric tons landed over the same calls.
            containers: boxes landed at one call, for fees by container.
            calls: fee-paying calls of the voyage.
            share: share of the trade's cargo on ships that pay, `"20%"` or 0.2.
            usd_per_unit: US dollars for one unit of the fee's currency.
            source: source of your figures.
            scenario: library name, `*.yaml` path, or `Scenario`; its voyages replace those of public sources.
            timeout: seconds; by default the config's deadline.
            **options: `known_on`, `switches` and `law_version`, as `help(tariffs.client.LawOptions)` has them.

        Raises:
            InvalidRequest: there is no such fee, a figure cannot be used, or one comes without `kind`.
        """
        figures = {
            "net_tons": net_tons,
            "teu": teu,
            "cargo_tons": cargo_tons,
            "containers": containers,
            "calls": calls,
            "share": requests.rate_text(share, "share") if isinstance(share, str) else share,
            "usd_per_unit": usd_per_unit,
        }
        voyage = {name: str(value) for name, value in figures.items() if value is not None}
        texts = {"ship": arguments.text(ship, "ship"), "source": arguments.text(source, "source")}
        voyage |= {name: text for name, text in texts.items() if text}
        if voyage and not kind:
            raise InvalidRequest(
                "REQUEST_INVALID",
                f"{', '.join(voyage)} given without a kind of ship.",
                field="kind",
                fix="Name the kind of ship the fee is on.",
            )
        request = requests.law_request(
            "port_fees",
            law_service_pb2.CalculatePortFeeRequest,
            scenario,
            options,
            on=arguments.day(on, "on"),
            voyage=law_service_pb2.Voyage(kind=arguments.text(kind, "kind"), **voyage) if kind else None,
        )
        return read(PortFees, self._lookup("CalculatePortFee", request, timeout))
