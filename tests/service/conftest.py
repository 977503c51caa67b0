from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.harness import Running, running


@pytest.fixture(scope="session")
def served() -> Iterator[Running]:
    """One warm server for all tests that leave it as it is."""
    with running() as started:
        yield started
