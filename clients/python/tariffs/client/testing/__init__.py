"""Fake server for tests of applications that call the service: scripted or recorded answers over real gRPC.

from tariffs.client import Client
from tariffs.client.testing import fake_server

with fake_server() as server:
    server.answer("CalculateDuty", {"assessed": "3000.00", "owed": "3000.00"})
    assert Client(server.target).duty("9503.00.0073", origin="CN", value=10000).assessed == 3000

It listens on loopback, needs neither the engine nor a network, and ends with the block. The fixture `tariffs_server` of
pytest is in `tariffs.client.testing.plugin`.
"""

from __future__ import annotations

from tariffs.client.testing.fake_server import FakeServer, fake_server
from tariffs.client.testing.recording import Recording, record

__all__ = ["FakeServer", "Recording", "fake_server", "record"]
