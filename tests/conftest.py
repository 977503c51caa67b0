"""Settings that all tests share: where kernels are cached, how many cases a random test takes."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tariffs.client import Client

ROOT = Path(__file__).resolve().parents[1]
SCALE = int(os.environ.get("TARIFFS_TEST_SCALE", "1"))


def _take_compiled_kernels(ours: Path) -> None:
    """Copy what `make` compiled for the reader: processes that start at once would all compile the same."""
    from tariffs.engine.base.kernel_cache import cache_directory
    from tariffs.engine.base.snapshot import snapshot_directory

    for kept in (cache_directory(), snapshot_directory()):
        if kept.exists():
            shutil.copytree(kept, ours / kept.name, dirs_exist_ok=True)


# Kernels are compiled once and kept beside the checkout, not in the reader's home; servers that tests start inherit
# it. What the reader's own shell says of a server must never decide where a test sends its calls.
if "NUMBA_CACHE_DIR" not in os.environ:
    if not (_KERNELS := ROOT / ".numba_cache").exists():
        _take_compiled_kernels(_KERNELS)
    os.environ["NUMBA_CACHE_DIR"] = str(_KERNELS)
_OF_CLIENTS = ("TARGET", "TOKEN", "TOKEN_IN_CLEAR", "TLS", "TLS_NAME", "CLIENT_CERTIFICATE", "CLIENT_KEY")
for _name in _OF_CLIENTS:
    os.environ.pop(f"TARIFFS_{_name}", None)

# Processes in which pytest-xdist runs tests ignore Ctrl-C, and programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Law, schedule and tables stay to the end: looking through them for garbage again and again cost a seventh of the run.
gc.set_threshold(50_000, 20, 100)

# Tables and runs of servers that tests start must not meet those of the reader.
_STATE = tempfile.TemporaryDirectory(prefix="tariffs-state-")
os.environ["TARIFFS_STATE_DIR"] = _STATE.name
os.environ.pop("TARIFFS_DATABASE_URL", None)

# Derandomised, so that a failure is the change's own and comes back at every run; deadlines would measure the
# machine and not the code.
settings.register_profile(
    "tariffs",
    max_examples=15 if SCALE == 1 else 25 * SCALE,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tariffs")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of this project's tests."""
    parser.addoption(
        "--random-lines", type=int, default=0, help="lines to compare over the real law; 0 is by the scale"
    )


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Undo what a server that a test starts by its command changes for the whole process."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), list(root.handlers), root.level
    yield
    if structlog.get_config() != before:
        structlog.configure(**before)
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.fixture(scope="session")
def scale() -> int:
    """How many times the small count a random test takes: 1 in `make test`, 3 in `make test-all`."""
    return SCALE


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Share the target of one real server among the processes of a test run; who starts it ends it after the others."""
    from tariffs.client._wire.server_process import server_process

    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    target, log = folder / "server.target", folder / "server.log"
    with ExitStack() as ours, (folder / "begin").open("w") as begin, (folder / "users").open("w") as users:
        fcntl.flock(begin, fcntl.LOCK_EX)
        if is_first := not target.exists():
            target.write_text(
                ours.enter_context(server_process(log, 600.0, lambda _: None)), encoding="utf-8"
            )
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(begin, fcntl.LOCK_UN)
        yield target.read_text(encoding="utf-8")
        fcntl.flock(users, fcntl.LOCK_UN)
        if is_first:
            fcntl.flock(begin, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_EX)
            target.unlink()


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """Call the services in this process."""
    from tariffs.client import Client

    with Client.local() as local:
        yield local


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT
