"""An application that uses the client, as mypy --strict sees it from the installed wheel."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import polars as pl

from tariffs.client import (
    AsyncClient,
    Client,
    ImpactResult,
    Quote,
    TableCheck,
    TariffsError,
    Unsupported,
    read_table,
)
from tariffs.client.testing import FakeServer, fake_server
from tariffs.v1 import duty_service_pb2


def duty_of(client: Client) -> Decimal:
    quote: Quote = client.duty("9503.00.0073", origin="CN", entry_date="2025-05-14", value=10000)
    return quote.assessed + sum((layer.amount for layer in quote.layers), Decimal(0))


def largest(client: Client, path: str) -> list[str]:
    lines: pl.DataFrame = read_table(path, mapping="ace")
    checked: TableCheck = client.check_table(lines)
    if not checked.ok:
        return [note.message for note in checked.notes]
    result: ImpactResult = client.impact(lines, scenarios=["base", "truce-lapses"], by=["origin"])
    result.report("out.html", law=client.legal_text(result))
    return result.groups.sort("duty", descending=True)["origin"].to_list()


async def both(target: str) -> tuple[str, str]:
    async with AsyncClient(target) as client:
        quote, server = await asyncio.gather(
            client.duty("9503.00.0073", origin="CN", value=10000), client.server()
        )
    return str(quote.assessed), server.version


def scripted() -> str:
    def answer(request: duty_service_pb2.CalculateDutyRequest) -> dict[str, object]:
        return {"assessed": request.line.customs_value, "owed": "0.00"}

    server: FakeServer
    with fake_server() as server, Client(server.target) as client:
        server.answer("CalculateDuty", function=answer)
        try:
            return str(client.duty("9503", origin="CN", value=5).assessed)
        except Unsupported as error:
            return error.metadata.get("server_version", "")
        except TariffsError as error:
            return f"{error.reason}: {error.fix}"


if __name__ == "__main__":
    print(scripted())
