from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client


@pytest.fixture(scope="session")
def here(client: Client) -> Client:
    """Call the services in this process, where calls go there too."""
    return client


@pytest.fixture(scope="session")
def there(server: str) -> Iterator[Client]:
    """Call the real server."""
    with Client(server) as connected:
        yield connected


@pytest.fixture
def bad_rows(tmp_path: Path) -> Path:
    """A table of 1,000 rows of which three cannot be used."""
    frame = pl.DataFrame(
        {
            "hts": ["9503.00.0073"] * 1000,
            "origin": ["CN"] * 1000,
            "customs_value": ["100"] * 1000,
            "mine": [str(row) for row in range(1000)],
        }
    )
    changes = {("hts", 10): "abc", ("origin", 20): "XX", ("customs_value", 30): "-4"}
    for (column, row), value in changes.items():
        frame = frame.with_columns(
            pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
        )
    path = tmp_path / "bad.csv"
    frame.write_csv(path)
    return path


@pytest.fixture(scope="session")
def served() -> Iterator[Any]:
    """Serve the pages of the desk from a thread of this process."""
    pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
    from tests.service.harness import no_warm_up, running

    with running(warm=no_warm_up, http_port=0) as started:
        yield started
