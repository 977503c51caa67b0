"""Share clients of this process and of the server, the command line and the pages among the client's tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, TariffsError
from tariffs.client.cli.__main__ import run


class Cli:
    """The command line in this process: what a command prints, at the exit code that it should have."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def out(self, words: Sequence[str], code: int = 0) -> str:
        """Standard output; a text of words is split."""
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


def refuses(
    reason: str, field: str | None = None, said: str | None = None, kind: type[TariffsError] = InvalidRequest
) -> Any:
    """Expect a refusal by its reason, the field that it names, a pattern of its words, and its class."""
    return pytest.raises(
        kind, match=said, check=lambda error: error.reason == reason and field in {None, error.field}
    )


def goods(*rows: tuple[Any, ...], more: tuple[str, ...] = ()) -> pl.DataFrame:
    """A table of codes, origins and customs values, and of more columns."""
    return pl.DataFrame(rows, ["hts", "origin", "customs_value", *more], orient="row")


def scenario_text(*changes: str, name: str = "mine", head: str = "") -> str:
    """A scenario of changes, written as mappings without their braces."""
    lines = "".join(f"  - {{{change}}}\n" for change in changes)
    title = f"schema: tariffs.scenario/v1\nid: {name}\ntitle: {name.title()}\nbasis: hypothesis\n"
    return f"{title}{head}changes:\n{lines}"


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a test names, and rows that commands refuse, are written beside no other test's."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def here(client: Client) -> Client:
    """Call the services in this process, where calls go there too."""
    return client


@pytest.fixture(scope="session")
def there(server: str) -> Iterator[Client]:
    """Call the real server."""
    with Client(server) as connected:
        yield connected


@pytest.fixture(scope="session")
def served() -> Iterator[Any]:
    """Serve the pages of the desk from a thread of this process."""
    pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
    from tests.service.harness import no_warm_up, running

    with running(warm=no_warm_up, http_port=0) as started:
        yield started
