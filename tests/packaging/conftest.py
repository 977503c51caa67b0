from __future__ import annotations

from collections.abc import Iterator

import pytest

from tariffs.client._wire.server_process import server_process


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A warm server of this environment in a process of its own; gives its target."""
    with server_process(tmp_path_factory.mktemp("server") / "log", 300.0, lambda _: None) as target:
        yield target
