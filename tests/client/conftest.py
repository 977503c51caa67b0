"""Share clients of this process and of the server, the command line and the pages among the client's tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run


class Cli:
    """The command line in this process: what a command prints, at the exit code that it should have."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def out(self, words: Sequence[str], code: int = 0) -> str:
        """Standard output."""
        return self._said(words, code)[0]

    def err(self, words: Sequence[str], code: int = 0) -> str:
        """Standard error."""
        return self._said(words, code)[1]

    def json(self, words: Sequence[str], code: int = 0) -> Any:
        """The document that is asked for by `--json`."""
        words = words.split() if isinstance(words, str) else words
        return json.loads(self.out(words if "--json" in words else [*words, "--json"], code))

    def _said(self, words: Sequence[str], code: int) -> tuple[str, str]:
        self._capsys.readouterr()
        found = run(words.split() if isinstance(words, str) else words)
        said = self._capsys.readouterr()
        assert found == code, said
        return said.out, said.err


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run commands and read what they print."""
    return Cli(capsys)


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
