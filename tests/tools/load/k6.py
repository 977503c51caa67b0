"""Run k6, which sends at a given rate whatever the server does, so that a stalled server gets no fewer calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tools.load.servers import ROOT

SCRIPT = Path(__file__).resolve().parent / "k6" / "calls.js"
_MARGIN_SECONDS = 60
_UNPAUSED = {"GOGC": "off", "GOMEMLIMIT": "256MiB"}
"""k6 looks for garbage only when it is large: its own pauses, on cores that are taken, would be the slowest calls."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Measurements of k6: calls, served calls a second of the given time, and times in milliseconds.

    Times are those of calls that were served, but for `refused_median`.
    """

    served: int
    refused: int
    failed: int
    dropped: int
    rate: float
    median: float
    p99: float
    refused_median: float


@dataclass(frozen=True)
class Load:
    """Calls of one kind to send.

    Attributes:
        folder: where k6 may write.
        requests: the requests as JSON, sent in turn.
        targets: servers, among which callers are shared out.
        method: service and method.
        token: bearer token, if the server asks for one.
    """

    folder: Path
    requests: Sequence[Mapping[str, Any]]
    targets: Sequence[str]
    method: str = "DutyService/CalculateDuty"
    token: str = ""

    def at_rate(self, rate: float, seconds: float, callers: int = 200) -> Seen:
        """Send at a rate: an open loop. Calls for which no caller is free are dropped, and counted.

        For a second before, calls are sent that do not count: k6 holds itself up while its callers connect.
        """
        return self._run(seconds, RATE=round(rate), VUS=callers)

    def at_once(self, callers: int, seconds: float) -> Seen:
        """Send from so many callers, each waiting for its answer: a closed loop."""
        return self._run(seconds, VUS=callers)

    def count(self, calls: int, callers: int, seconds: float) -> Seen:
        """Send so many calls from so many callers, in at most so many seconds."""
        return self._run(seconds, CALLS=calls, VUS=callers)

    def _run(self, seconds: float, **given: int) -> Seen:
        request, out = self.folder / "request.json", self.folder / "seen.json"
        request.write_text(json.dumps(self.requests), encoding="utf-8")
        out.unlink(missing_ok=True)
        variables = {
            **{name: str(value) for name, value in given.items()},
            "PROTO": str(ROOT / "proto"),
            "THIRD_PARTY": str(ROOT / "third_party"),
            "REQUEST": str(request),
            "TARGETS": ",".join(self.targets),
            "METHOD": self.method,
            "TOKEN": self.token,
            "SECONDS": f"{seconds:g}",
            "OUT": str(out),
        }
        subprocess.run(
            [Path(sys.executable).parent / "k6", "run", "--quiet", "--no-usage-report", SCRIPT],
            env={**os.environ, **_UNPAUSED, **variables},
            capture_output=True,
            check=True,
            timeout=seconds + _MARGIN_SECONDS,
        )
        return _seen(json.loads(out.read_text(encoding="utf-8")), seconds)


def _seen(metrics: Mapping[str, Mapping[str, float]], seconds: float) -> Seen:
    def of(metric: str, value: str) -> float:
        return metrics.get(metric, {}).get(value, 0.0) or 0.0

    def counted(metric: str) -> int:
        return int(of(f"{metric}{{scenario:calls}}", "count"))

    served, refused, full = (f"grpc_req_duration{{scenario:calls,status:{code}}}" for code in (0, 8, 1))
    return Seen(
        served=counted("ok"),
        refused=counted("refused"),
        failed=counted("failed"),
        dropped=counted("dropped_iterations"),
        rate=counted("ok") / seconds,
        median=of(served, "med"),
        p99=of(served, "p(99)"),
        refused_median=of(full, "med") or of(refused, "med"),
    )
