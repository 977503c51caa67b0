"""The client for asyncio has the verbs of the other, and a cancelled task ends the call on the server."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from decimal import Decimal
from types import ModuleType
from typing import Any

import grpc
import polars as pl
import pytest

from tariffs.client import AsyncClient, Client, InvalidRequest
from tariffs.client._wire.progress import reporting
from tests.client.fakes import fake_server

VERBS = [name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_awaited_with_the_same_arguments(verb: str) -> None:
    awaited = getattr(AsyncClient, verb)
    assert inspect.iscoroutinefunction(awaited)
    assert inspect.signature(awaited) == inspect.signature(getattr(Client, verb))
    assert inspect.getdoc(awaited) == inspect.getdoc(getattr(Client, verb))


@pytest.mark.asyncio
async def test_calls_at_the_same_time_have_the_same_answers_as_one_by_one() -> None:
    async with AsyncClient.local() as client:
        days = ["2025-05-14", "2025-11-10", "2026-03-01"]
        quotes = await asyncio.gather(*(client.duty("9503.00.0073", "CN", day, 10000) for day in days))
        with Client.local() as other:
            assert [one.assessed for one in quotes] == [
                other.duty("9503.00.0073", "CN", day, 10000).assessed for day in days
            ]
        assert quotes[0].assessed == Decimal("3000.00")
        assert (await client.call(quotes[0].why)).considered
        lines = pl.DataFrame({"hts": ["9503.00.0073"], "origin": ["CN"], "customs_value": [10.0]})
        assert (await client.impact(lines, response="none")).total.height == 1
        with pytest.raises(InvalidRequest):
            await client.duty("9503.00.0073", "XX", "2025-05-14", 1)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["CalculateDuty", "Simulate"])
async def test_a_cancelled_task_ends_the_call_on_the_server(name: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(ended.set)
        begun.set()
        ended.wait(20)
        return []

    with fake_server() as server:
        server.answers[name] = answer
        async with AsyncClient(server.target) as client:
            call = (
                client.impact() if name == "Simulate" else client.duty("9503.00.0073", "CN", "2025-05-14", 1)
            )
            task = asyncio.ensure_future(call)
            assert await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(ended.wait, 5)
        assert len(server.requests) == 1


def test_a_notebook_shows_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    marimo = ModuleType("marimo")
    marimo.running_in_notebook = lambda: True  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    with reporting(True) as report:
        report("compiling the law", 0.25)
    assert "compiling the law: 25 %" in capsys.readouterr().err


def test_a_script_shows_no_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with reporting(True) as report:
        report("compiling the law", 0.25)
    assert capsys.readouterr().err == ""
