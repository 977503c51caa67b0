"""Portfolios on a server: sharing, streams that go on, laws that wait for an admin, and webhooks that lose nothing."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tariffs.client import Client
from tariffs.client.errors import InvalidRequest, NotFound, PermissionDenied, ResourceExhausted
from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.rpc.laws import LATEST, LAWS
from tariffs.service.rpc.portfolios import check_webhook
from tariffs.service.server import webhook_calls, webhooks
from tariffs.service.server.portfolio_rounds import PortfolioRounds
from tariffs.service.server.webhooks import WebhookDelivery
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.portfolio_store import FoundEvents, NewPortfolio
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import ADMIN, RUN, Caller
from tariffs.v1 import watch_service_pb2 as pb
from tests.service.harness import TEAM, Running, caller_files, no_warm_up, running
from tests.service.processes import SECONDS, Log, served
from tests.service.stored import until
from tests.service.webhook_receiver import SECRET, Receiver, receiving

GOODS = """line_id,hts,origin,customs_value
toys,9503.00.0073,CN,1000000
bad,9999.99.9999,CN,100
cathodes,7403.11.0000,CL,500000
"""
SINCE = "2026-07-23"
KINDS = ["enacted", "heading_changed", "rate_changed", "heading_changed", "announced"]
ANN = Caller("ann", "ann", frozenset({RUN}))
ROOT = Caller("root", "root", frozenset({ADMIN}))


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("goods") / "goods.csv"
    path.write_text(GOODS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    files = caller_files(tmp_path_factory.mktemp("callers"), "ann bob eve root", TEAM)
    with running(warm=no_warm_up, portfolios_per_owner=2, **files) as started:
        yield started


def client_of(server: Running, name: str) -> Client:
    return Client(f"localhost:{server.port}", token=f"token-of-{name}")


def test_events_are_stored_shared_and_streamed_from_where_a_reader_left(server: Running, goods: Path) -> None:
    with client_of(server, "ann") as ann, client_of(server, "bob") as bob, client_of(server, "eve") as eve:
        saved = ann.save_portfolio("spring", goods, since=SINCE, group="desk")
        assert saved.refused.select("line_id", "reason").rows() == [("bad", "HTS_CODE_UNKNOWN")]
        assert (saved.portfolio.name, saved.portfolio.lines, saved.portfolio.refused) == ("ann/spring", 3, 1)
        events = [one.event for one in islice(ann.watch_portfolio("spring"), len(KINDS))]
        assert [one.kind for one in events] == KINDS
        found = Client.local().watch_events(goods, start=SINCE, end=date.today())
        assert [one.id for one in found.events] == [one.id for one in events]
        stored = bob.portfolio_events("ann/spring")
        (next_one,) = islice(bob.watch_portfolio("ann/spring", after=stored[-2].number), 1)
        assert next_one == stored[-1]
        assert [one.name for one in bob.portfolios()] == ["ann/spring"]
        assert not eve.portfolios()
        with pytest.raises(NotFound):
            eve.portfolio_events("ann/spring")
        with pytest.raises(PermissionDenied):
            bob.delete_portfolio("ann/spring")
        # The same lines again are the same events, which are stored once.
        ann.save_portfolio("spring", goods, since=SINCE)
        until(lambda: ann.portfolios()[0].watched_to)
        assert ann.portfolio_events("spring") == stored
        assert not bob.portfolios()
        ann.delete_portfolio("spring")
        assert not ann.portfolios()


def test_faults_of_a_portfolio_are_named(server: Running, goods: Path) -> None:
    webhook = {"webhook": "https://hooks.example.com/", "secret": SECRET}
    faults: tuple[dict[str, Any], ...] = ({"group": "desk"}, webhook, {"since": "2030-01-01"})
    with client_of(server, "eve") as eve:
        for given in faults:
            with pytest.raises((InvalidRequest, PermissionDenied), match=next(iter(given))):
                eve.save_portfolio("mine", goods, **given)
        with pytest.raises(InvalidRequest, match="no name"):
            eve.save_portfolio("Mine!", goods)
        for name in ("one", "two"):
            eve.save_portfolio(name, goods)
        with pytest.raises(ResourceExhausted, match="2 portfolios"):
            eve.save_portfolio("three", goods)
        with pytest.raises(InvalidRequest, match="delivery"):
            eve.portfolio_events("one", delivery="lost")
    with pytest.raises(InvalidRequest, match="need a server"):
        Client.local().portfolios()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    made = Storage(Settings.model_validate({"state_dir": tmp_path}), lambda: "maker")
    made.open()
    yield made
    made.close()


def stored(storage: Storage, webhook: str = "", count: int = 4) -> Any:
    """Store a portfolio of some lines, and return it."""
    toys = {"hts": "9503000073", "origin": "CN"}
    lines = [pb.PortfolioLine(line={**toys, "line_id": str(one)}) for one in range(count)]
    request = pb.ListWatchEventsRequest(lines=lines).SerializeToString()
    new = NewPortfolio("mine", request, count, 0, "2026-10-01", webhook=webhook, secret=SECRET)
    return storage.portfolios.save(ANN, new)


def answer(assessed: str, *events: str) -> pb.ListWatchEventsResponse:
    """Make an answer of events of line 0, all lines with a duty."""
    found = [event(one, known_on="2026-10-02") for one in events]
    duties = {"0": assessed, "1": assessed, "2": "1.00", "3": "1.00"}
    standings = [pb.LineStanding(line_id=line, assessed=duty) for line, duty in duties.items()]
    return pb.ListWatchEventsResponse(events=found, standings=standings)


def event(name: str, **given: str) -> pb.WatchEvent:
    return pb.WatchEvent(id=name, line_id="0", kind="WATCH_EVENT_KIND_ENACTED", **given)


def look(storage: Storage, given: pb.ListWatchEventsResponse) -> None:
    """Find events once, as if the engine answered so."""

    async def background(*_: object) -> pb.ListWatchEventsResponse:
        return given

    queue: Any = SimpleNamespace(background=background)
    asyncio.run(PortfolioRounds(queue, storage, lambda: date(2026, 10, 10)).look())


def under_another_law(storage: Storage) -> None:
    """Store a portfolio as it was watched under an earlier law."""
    row = stored(storage)
    standings = pb.ListWatchEventsResponse(standings=answer("1.00").standings).SerializeToString()
    assert storage.portfolios.add(row, FoundEvents("2026.1.1.1@0", "2026-10-10", {}, standings))


def test_a_law_that_touches_many_lines_waits_for_an_admin(storage: Storage) -> None:
    under_another_law(storage)
    look(storage, answer("2.00", "new"))
    row = storage.portfolios.find(ANN, "mine")
    # Line 0 has a new event, line 1 another duty without one: two of four.
    assert (row.held_lines, row.held_law, row.law) == (2, LAWS.settle(LATEST).exact, "2026.1.1.1@0")
    look(storage, answer("2.00", "new"))
    assert not storage.portfolios.events(ANN, "mine", 0)
    with pytest.raises(ServiceError, match="admin"):
        storage.portfolios.release(ANN, "mine")
    assert storage.portfolios.release(ROOT, "ann/mine").law == LAWS.settle(LATEST).exact
    events = [pb.WatchEvent.FromString(one.event) for one in storage.portfolios.events(ANN, "mine", 0)]
    assert [(one.line_id, one.known_on) for one in events] == [("0", "2026-10-02"), ("1", "2026-10-10")]
    assert (events[1].before, events[1].after, events[1].amount) == ("1.00", "2.00", "1.00")
    storage.portfolios.release(ROOT, "ann/mine")
    assert len(storage.portfolios.events(ANN, "mine", 0)) == 2


def test_a_law_that_touches_few_lines_does_not_wait(storage: Storage) -> None:
    under_another_law(storage)
    look(storage, answer("1.00", "new"))
    assert [one.id for one in storage.portfolios.events(ANN, "mine", 0)] == ["new"]
    assert not storage.portfolios.find(ANN, "mine").held_law


def test_what_was_found_for_other_lines_is_not_stored(storage: Storage) -> None:
    before, found = stored(storage), FoundEvents("law", "2026-10-10", {"id": b""}, b"")
    stored(storage, count=3)
    assert not storage.portfolios.add(before, found)
    assert not storage.portfolios.hold(before, found, 1)


def delivery(storage: Storage, receiver: Receiver, events: int = 2, **settings: Any) -> WebhookDelivery:
    """Store a portfolio with events, which are to be sent to a receiver."""
    row = stored(storage, f"http://localhost:{receiver.server_port}/hook?of=ann")
    found = {str(one): event(str(one)).SerializeToString() for one in range(events)}
    storage.portfolios.add(row, FoundEvents("law", "2026-10-10", found, b""))
    allowed = {"webhook_hosts": "localhost", "webhook_private": True} | settings
    return WebhookDelivery(storage, Settings.model_validate(allowed))


WAITING = ("waiting", 0)


def states(storage: Storage) -> list[tuple[str, int]]:
    return [(one.delivery, one.attempts) for one in storage.portfolios.events(ANN, "mine", 0)]


def test_events_are_sent_signed_in_order_and_again_until_they_are_taken(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(webhooks, "LEASE_SECONDS", 0.0)
    with receiving(tmp_path / "got", 500, 302) as receiver:
        sending = delivery(storage, receiver)
        for expected in ([("waiting", 1), WAITING], [("waiting", 2), WAITING], [("sent", 3), ("sent", 1)]):
            asyncio.run(sending.deliver_due())
            assert states(storage) == expected
        got = receiver.events()
    assert [one["body"]["id"] for one in got] == ["0", "0", "0", "1"]
    assert got[0]["body"] == got[1]["body"]
    assert all(one["signed"] and one["type"].startswith("application/cloudevents+json") for one in got)
    body = got[0]["body"]
    wanted = {"specversion": "1.0", "source": "/portfolios/ann/mine", "subject": "0"}
    wanted["type"] = "tariffs.watch.enacted"
    assert body | wanted == body
    assert body["data"]["id"] == "0"


def test_an_event_that_is_never_taken_is_dead_and_listed(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(webhooks, "ATTEMPTS", 2)
    with receiving(tmp_path / "got", 302, 302) as receiver:
        sending = delivery(storage, receiver, events=1)
        for _ in range(3):
            asyncio.run(sending.deliver_due())
        assert len(receiver.events()) == 2
    (dead,) = storage.portfolios.events(ANN, "mine", 0, "dead")
    assert (dead.attempts, dead.error) == (2, "status 302, and redirects are not followed")


def test_pauses_grow_and_another_server_takes_over_a_lease(storage: Storage, tmp_path: Path) -> None:
    with receiving(tmp_path / "got", 503, 503) as receiver:
        sending = delivery(storage, receiver, events=1)
        for least, most in ((0.0, webhooks.FIRST_PAUSE), (webhooks.FIRST_PAUSE, 4 * webhooks.FIRST_PAUSE)):
            asyncio.run(sending.deliver_due())
            (row,) = storage.portfolios.events(ANN, "mine", 0)
            assert least < row.due - time.time() <= most
            storage.portfolios.failed(row, "", 0.0)
    assert [len(storage.portfolios.lease_due(5, seconds)) for seconds in (0.0, 60.0, 60.0)] == [1, 1, 0]
    # Without a webhook nothing waits to be sent.
    stored(storage)
    assert states(storage) == [("", 4)]


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example.com/", "https://other.example.com/", "https://user@hooks.example.com/"),
        *("https://hooks.example.com:port/", "https://hooks.example.com/ x"),
    ],
)
def test_urls_that_no_event_may_be_sent_to_are_refused(url: str) -> None:
    allowed = Settings.model_validate({"webhook_hosts": "hooks.example.com"})
    check_webhook("https://Hooks.example.com/x", SECRET, allowed)
    with pytest.raises(InputError, match="webhook"):
        check_webhook(url, SECRET, allowed)
    with pytest.raises(InputError, match="secret"):
        check_webhook("https://hooks.example.com/", "short", allowed)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "224.0.0.1"]
)
def test_a_name_with_a_private_address_gets_no_event(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    asked = []

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (one, port)) for one in ("93.184.215.14", address)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(OSError, match="not public"):
        webhook_calls.checked_address("hooks.example.com", 443, private=False)
    assert webhook_calls.checked_address("hooks.example.com", 443, private=True) == "93.184.215.14"
    assert asked == ["hooks.example.com"] * 2


def test_the_address_that_was_checked_is_the_one_connected_to(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(tmp_path / "got") as receiver:
        sending = delivery(storage, receiver, events=1)
        real, asked = socket.getaddrinfo, []

        def resolve(host: str, *args: Any, **given: Any) -> list[Any]:
            # The second answer of a name server would lead elsewhere; numeric addresses are not asked for.
            asked.append(host)
            return real("127.0.0.1" if asked.count("localhost") < 2 else "127.9.9.9", *args, **given)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        asyncio.run(sending.deliver_due())
        assert asked.count("localhost") == 1
        assert states(storage) == [("sent", 1)]
    closed = Settings.model_validate({"webhook_hosts": "localhost", "webhook_private": False})
    row = storage.portfolios.events(ANN, "mine", 0)[0], storage.portfolios.find(ANN, "mine")
    with pytest.raises(webhook_calls.DeliveryError, match="https"):
        webhook_calls.send(*row, closed)


@pytest.mark.kill
def test_killed_server_and_receiver_lose_no_event(tmp_path: Path) -> None:
    path, got = tmp_path / "goods.csv", tmp_path / "got"
    origins = ("CN", "VN", "MX", "CA", "IN", "JP", "DE", "TH")
    path.write_text("\n".join(["hts,origin,customs_value", *(f"9503.00.0073,{one},1000" for one in origins)]))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"TARIFFS_WEBHOOK_HOSTS": "localhost", "TARIFFS_WEBHOOK_PRIVATE": "true"}
    settings["TARIFFS_PROCESSES"] = "1"
    command = [sys.executable, "-m", "tests.service.webhook_receiver", str(port), str(got)]
    receiver = subprocess.Popen(command)
    try:
        with served(tmp_path / "state", **settings) as (process, log), connected(log) as client:
            url = f"http://localhost:{port}/"
            client.save_portfolio("mine", path, since="2026-07-01", webhook=url, secret=SECRET)
            until(lambda: got.exists() and len(got.read_text().splitlines()) > 3)
            receiver.kill()
            process.kill()
            process.wait(SECONDS)
        receiver.wait(SECONDS)
        receiver = subprocess.Popen(command)
        with served(tmp_path / "state", **settings) as (_, log), connected(log) as client:
            found = client.watch_events(path, start="2026-07-01", end=date.today()).events
            until(lambda: all(one.delivery == "sent" for one in client.portfolio_events("mine")), SECONDS)
            assert {one.event.id for one in client.portfolio_events("mine")} == {one.id for one in found}
    finally:
        receiver.kill()
        receiver.wait(SECONDS)
    bodies = [one["body"] for one in Receiver.events(SimpleNamespace(path=got))]  # type: ignore[arg-type]
    assert {one["id"] for one in bodies} == {one.id for one in found}
    # What is sent again is the same.
    assert len({str(one) for one in bodies}) == len(found)


def connected(log: Log) -> Client:
    return Client(f"localhost:{log.until('serving')['port']}")
