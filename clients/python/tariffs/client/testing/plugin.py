"""Fixture of pytest: `pytest_plugins = ["tariffs.client.testing.plugin"]` in `conftest.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tariffs.client.testing.fake_server import FakeServer, fake_server


@pytest.fixture
def tariffs_server() -> Iterator[FakeServer]:
    """Start a fake server on a free port of loopback; it ends with the test."""
    with fake_server() as server:
        yield server
