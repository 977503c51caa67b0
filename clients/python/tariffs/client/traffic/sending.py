"""Send recorded calls at a rate that does not wait for answers, and count how long each took from when it was due."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import grpc

from tariffs.client.errors import from_rpc_error
from tariffs.client.traffic.calls import RecordedCall

_READERS = 64
QUANTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}


@dataclass(frozen=True)
class Latencies:
    """Latencies and errors of the calls of one method, or of all.

    Attributes:
        method: name of the method; empty for all.
        calls: number of calls sent.
        errors: calls that failed, by reason.
        milliseconds: quantiles over the calls that were answered, each from the time at which its call was due.
    """

    method: str
    calls: int
    errors: dict[str, int]
    milliseconds: dict[str, float]

    @property
    def error_share(self) -> float:
        """Share of calls that failed."""
        return sum(self.errors.values()) / self.calls if self.calls else 0.0


class _Sender:
    """Calls on the way: what each took, and the reasons of those that failed."""

    def __init__(self, channel: grpc.Channel, target: str, timeout: float) -> None:
        self._channel, self._target, self._timeout = channel, target, timeout
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="streams")
        self._lock, self._open = threading.Condition(), 0
        self.taken: dict[str, list[float]] = defaultdict(list)
        self.errors: dict[str, Counter[str]] = defaultdict(Counter)

    def send(self, call: RecordedCall, due: float) -> None:
        """Send a call without waiting for its answer."""
        with self._lock:
            self._open += 1
        data = call.request.SerializeToString()
        if call.is_streamed:
            self._readers.submit(self._read, call, data, due)
        else:
            answer = self._channel.unary_unary(call.method, None, None).future(data, timeout=self._timeout)
            answer.add_done_callback(lambda done: self._end(call.method, due, done.exception()))

    def wait(self) -> None:
        """Wait for all answers; each call has its timeout."""
        with self._lock:
            self._lock.wait_for(lambda: not self._open)
        self._readers.shutdown()

    def _read(self, call: RecordedCall, data: bytes, due: float) -> None:
        failed: Any = None
        try:
            for _ in self._channel.unary_stream(call.method, None, None)(data, timeout=self._timeout):
                pass
        except grpc.RpcError as error:
            failed = error
        self._end(call.method, due, failed)

    def _end(self, method: str, due: float, failed: Any) -> None:
        taken, reason = time.monotonic() - due, ""
        if failed is not None:
            reason = from_rpc_error(failed, self._target).reason
        with self._lock:
            if reason:
                self.errors[method][reason] += 1
            else:
                self.taken[method].append(taken)
            self._open -= 1
            self._lock.notify_all()


def send_again(
    channel: grpc.Channel,
    target: str,
    calls: Sequence[RecordedCall],
    rate: float,
    seconds: float,
    timeout: float,
) -> list[Latencies]:
    """Send calls in their order, from the first again after the last, `rate` a second for some seconds.

    The rate is kept whether or not calls before were answered; each may take `timeout` seconds.

    Returns:
        The latencies of all calls, then of each method, the most calls first.
    """
    sender, begun = _Sender(channel, target, timeout), time.monotonic()
    for number, call in enumerate(islice(cycle(calls), max(1, round(rate * seconds)))):
        due = begun + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        sender.send(call, due)
    sender.wait()
    names = sorted({*sender.taken, *sender.errors}, key=lambda name: (-_count(sender, name), name))
    every = [taken for name in names for taken in sender.taken[name]]
    failed = sum((sender.errors[name] for name in names), Counter[str]())
    return [
        _latencies("", every, failed),
        *(_latencies(name, sender.taken[name], sender.errors[name]) for name in names),
    ]


def _count(sender: _Sender, name: str) -> int:
    return len(sender.taken[name]) + sender.errors[name].total()


def _latencies(method: str, taken: Sequence[float], errors: Counter[str]) -> Latencies:
    ordered = sorted(taken)
    quantiles = {
        name: 1e3 * ordered[math.ceil(share * len(ordered)) - 1]
        for name, share in QUANTILES.items()
        if ordered
    }
    return Latencies(method, len(ordered) + errors.total(), dict(errors), quantiles)
