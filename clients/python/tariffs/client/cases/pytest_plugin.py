"""Collect files of cases in pytest: `pytest --tariffs` checks each case in this process, or on TARIFFS_TARGET."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tariffs.client.client import Client

_CLIENT = "_tariffs_client"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--tariffs`."""
    help_text = "Check the cases of YAML files that begin with `schema: tariffs.cases/v1`."
    parser.addoption("--tariffs", action="store_true", help=help_text)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a file of cases, if they are asked for."""
    if not parent.config.getoption("--tariffs"):
        return None
    # Imported here: a run of pytest without the option loads nothing of the client.
    from tariffs.client.cases.case_file import is_case_file

    return CaseFile.from_parent(parent, path=file_path) if is_case_file(file_path) else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the client that the cases shared."""
    client = vars(config).pop(_CLIENT, None)
    if client is not None:
        client.close()


class CaseFile(pytest.File):
    """File of cases."""

    def collect(self) -> Iterable[pytest.Item]:
        """Read the cases."""
        from tariffs.client.cases.case_file import read_cases

        for case in read_cases(self.path):
            yield CaseItem.from_parent(self, name=case.id, case=case)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Any, **given: Any) -> None:
        super().__init__(**given)
        self._case = case

    def runtest(self) -> None:
        """Check the case; fails with its differences."""
        from tariffs.client.cases.case_check import check_case

        found = check_case(_shared_client(self.config), self._case)
        if found.wrong:
            pytest.fail("\n".join(found.wrong), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the case in reports."""
        return self.path, None, self.name


def _shared_client(config: pytest.Config) -> Client:
    from tariffs.client.client import Client

    kept: dict[str, Any] = vars(config)
    if _CLIENT not in kept:
        target = os.environ.get("TARIFFS_TARGET")
        kept[_CLIENT] = Client(target) if target else Client.local()
    client: Client = kept[_CLIENT]
    return client
