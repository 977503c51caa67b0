"""Callers of the shipped client in threads: each result is compared with that of undisturbed servers."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import polars as pl

from tariffs.client import Client, Config
from tariffs.client._verbs.run_handle import Run
from tariffs.client.config import Deadlines
from tariffs.client.errors import TariffsError
from tariffs.engine.law import load_law
from tests.law.packs import CHARGED, EXEMPT, TOYS
from tests.tools.load.threads import beside

DAY = "2026-12-01"
SCENARIOS = ("base", "truce-lapses")
GOODS = ("9503000073", "8471300100", "7208101500", "8504909650")
ORIGINS = ("CN", "MX", "CA", "DE", "JP")
LINES = [(code, origin) for code in GOODS for origin in ORIGINS]
TABLE_ROWS, UPLOADED_ROWS = 2_000, 100_000
RUN_SECONDS = 300.0
RUNS_OPEN = 3
JOIN_SECONDS = 400.0
# A machine that does other things too answers late; how late is reported, and no failure.
CONFIG = Config(deadlines=Deadlines(duty=60.0, lists=60.0))
SCENARIO = """\
schema: tariffs.scenario/v1
id: mine
title: Mine
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: recip_cn}, from: 2026-07-01, rate: 20%, cite: [a]}
"""


@dataclass
class Calls:
    """Calls of a soak by kind: counts, latencies, failures and wrong results."""

    answered: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    started: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, kind: str, call: Callable[[], object], wanted: object = None) -> bool:
        """Make a call that must succeed, and compare its result; returns True if it did."""
        begun = time.monotonic()
        try:
            found = call()
        except (TariffsError, grpc.RpcError) as error:
            with self._lock:
                self.failed.append(f"{_now()} {kind} after {time.monotonic() - begun:.1f} s: {_words(error)}")
            return False
        with self._lock:
            self.answered[kind] += 1
            self.seconds.setdefault(kind, []).append((begun, time.monotonic() - begun))
            if wanted is not None and found != wanted:
                self.wrong.append(f"{_now()} {kind}: {found!s:.80}, not {wanted!s:.80}")
        return True

    def try_once(self, kind: str, call: Callable[[], object]) -> None:
        """Make a call that is not idempotent, or a stream that the client cannot repeat: it may break."""
        try:
            call()
        except (TariffsError, grpc.RpcError) as error:
            with self._lock:
                self.broken.append(f"{_now()} {kind}: {_words(error)}")
        else:
            with self._lock:
                self.answered[kind] += 1


def _now() -> str:
    return time.strftime("%H:%M:%S", time.gmtime())


def _words(error: Exception) -> str:
    return f"{getattr(error, 'reason', type(error).__name__)} {error}"[:300]


def digest(result: Any) -> str:
    """Digest of all figures of a result."""
    return hashlib.sha256(json.dumps(result.to_json_dict()["scenarios"], default=str).encode()).hexdigest()[
        :16
    ]


def table(rows: int, seed: int) -> pl.DataFrame:
    """A table of toys, laptops, steel and parts, the same for the same seed."""
    draw = random.Random(seed)
    return pl.DataFrame(
        {
            "hts": [draw.choice(GOODS) for _ in range(rows)],
            "origin": [draw.choice(ORIGINS) for _ in range(rows)],
            "customs_value": [float(draw.randrange(1, 10_000)) for _ in range(rows)],
        }
    )


@dataclass(frozen=True)
class Wanted:
    """Results of undisturbed servers."""

    quotes: Mapping[tuple[str, str], str]
    impact: str
    own: str
    uploaded: str
    run: str
    lines: str
    measures: int

    @classmethod
    def of(cls, client: Client) -> Wanted:
        """Ask for each result once."""
        return cls(
            quotes={line: quote(client, line) for line in LINES},
            impact=impact(client),
            own=own(client),
            uploaded=uploaded(client, 1),
            run=digest(start(client).result(timeout=RUN_SECONDS)),
            lines=lines(client),
            measures=len(client.measures()),
        )


def quote(client: Client, line: tuple[str, str]) -> str:
    """The duty on one line."""
    code, origin = line
    found = client.duty(
        code, origin=origin, entry_date="2025-11-20", value="10000", quantity="1000", unit="kg"
    )
    return str(found.assessed)


def latest(client: Client) -> bool:
    """Whether a quote under the latest law has the duty of the law that it names."""
    found = client.duty(TOYS["hts"], origin=TOYS["origin"], entry_date=TOYS["entry"], value=TOYS["value"])
    wanted = CHARGED if found.provenance["law_version"] == load_law().version else EXEMPT
    return str(found.assessed) == wanted


def impact(client: Client) -> str:
    """A run over the embedded table."""
    return digest(client.impact(scenarios=SCENARIOS, on=DAY, response="none"))


def own(client: Client) -> str:
    """A run with response over a table that is sent with the request."""
    found = client.impact(table(TABLE_ROWS, 2), SCENARIOS, on=DAY, baseline="2025-01-01", horizon="short")
    return digest(found)


def uploaded(client: Client, seed: int) -> str:
    """A run over a table that is uploaded first."""
    handle = client.upload(table(UPLOADED_ROWS, seed))
    return digest(client.impact(handle, SCENARIOS, on=DAY, response="none"))


def start(client: Client) -> Run:
    """Start a long run of several parts."""
    days = ("2026-03-01", "2026-12-01")
    return client.start(None, SCENARIOS, period=days, response="none", by=("origin",))


def lines(client: Client) -> str:
    """The sum of duties over a stream of rows."""
    found = client.lines(table(20_000, 3), ["base"], on=DAY).collect()
    return f"{found['duty'].sum():.6f}" if "duty" in found.columns else str(found.shape)


@contextmanager
def calling(target: str, calls: Calls, wanted: Wanted) -> Iterator[None]:
    """Call until the end of the block; runs that were started are then read to their end."""
    over = threading.Event()
    work: list[tuple[Callable[..., None], float]] = [
        (_quotes, 0.02),
        (_quotes, 0.02),
        (_impacts, 1.0),
        (_tables, 1.0),
        (_uploads, 5.0),
        (_lists, 0.5),
        (_line_streams, 5.0),
        (_latest, 0.2),
    ]
    threads = [threading.Thread(target=_repeat, args=(*one, target, calls, wanted, over)) for one in work]
    threads.append(threading.Thread(target=_long_runs, args=(target, calls, wanted, over)))
    with beside(threads, over, JOIN_SECONDS):
        yield


def _repeat(
    make: Callable[..., None], pause: float, target: str, calls: Calls, wanted: Wanted, over: threading.Event
) -> None:
    number, law = 0, "latest" if make is _latest else ""
    with Client(target, law_version=law, config=CONFIG) as client:
        while not over.is_set():
            make(client, calls, wanted, number)
            number += 1
            over.wait(pause)


def _quotes(client: Client, calls: Calls, wanted: Wanted, number: int) -> None:
    line = LINES[number % len(LINES)]
    calls.make("quotes", lambda: quote(client, line), wanted.quotes[line])


def _latest(client: Client, calls: Calls, wanted: Wanted, number: int) -> None:
    calls.make("quotes under the latest law", lambda: latest(client), True)


def _impacts(client: Client, calls: Calls, wanted: Wanted, number: int) -> None:
    calls.make("impacts", lambda: impact(client), wanted.impact)


def _tables(client: Client, calls: Calls, wanted: Wanted, number: int) -> None:
    calls.make("impacts of own tables", lambda: own(client), wanted.own)


def _uploads(client: Client, calls: Calls, wanted: Wanted, number: int) -> None:
    # A table like none before is sent whole, one known before is found by its digest.
    frame = table(UPLOADED_ROWS, 100 + number % 40)
    handle: list[Any] = []
    calls.make("uploads", lambda: handle.append(client.upload(frame)))
    calls.make("impacts of uploaded tables", lambda: uploaded(client, 1), wanted.uploaded)
    if number % 3 == 0 and handle:
        calls.try_once("tables deleted", lambda: client.delete_table(handle[0]))


def _lists(client: Client, calls: Calls, wanted: Wanted, number: int) -> None:
    calls.make("measures listed", lambda: len(client.measures()), wanted.measures)
    calls.make("scenarios checked", lambda: client.check(SCENARIO).ok, True)
    calls.make("runs listed", lambda: bool(client.runs() is not None), True)
    calls.make("tables listed", lambda: bool(client.tables() is not None), True)


def _line_streams(client: Client, calls: Calls, wanted: Wanted, number: int) -> None:
    found: list[str] = []
    calls.try_once("streams of lines", lambda: found.append(lines(client)))
    if found:
        calls.make("results of streams", lambda: found[0], wanted.lines)


def _long_runs(target: str, calls: Calls, wanted: Wanted, over: threading.Event) -> None:
    """Keep a few runs open; each is read to its end, the last ones after the end of the calls."""
    opened: list[Run] = []
    with Client(target, config=CONFIG) as client:
        while not over.is_set() or opened:
            while not over.is_set() and len(opened) < RUNS_OPEN:
                if calls.make("runs started", lambda: opened.append(start(client))):
                    calls.started += 1
            if opened:
                _end(calls, opened.pop(0), wanted)


def _end(calls: Calls, run: Run, wanted: Wanted) -> None:
    calls.make("runs ended", lambda: digest(run.result(timeout=RUN_SECONDS)), wanted.run)
    calls.try_once("runs deleted", run.delete)
