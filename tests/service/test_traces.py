"""One trace from the client to the kernel, received by a collector over OTLP."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import grpc
import pytest
import structlog

from tariffs.client import Client
from tariffs.client._wire import call_spans
from tariffs.client.config import Config
from tariffs.client.errors import TariffsError
from tariffs.engine.errors import ServiceError
from tariffs.service.observability import otel_tracing, tracing
from tariffs.service.observability.logs import add_call
from tariffs.service.server import pools
from tariffs.service.server.warmup import QUOTES
from tests.service.collector import (
    CLIENT,
    ERROR,
    INTERNAL,
    SERVER,
    CollectedSpan,
    Collector,
    collecting,
    parent_of,
    within,
)
from tests.service.harness import Running, line, no_warm_up, running
from tests.service.scraped import scraped
from tests.service.stored import until
from tests.service.web_calls import QUOTE, post

CALL = "tariffs.v1.DutyService/CalculateDuty"
TRACED = Config(traces="otlp")


@pytest.fixture(scope="module")
def sent() -> Iterator[Collector]:
    """A collector to which servers and clients of this module send."""
    with collecting() as found, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OTEL_")]:
            patch.delenv(name)
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{found.port}")
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        call_spans._provider.cache_clear()
        yield found
        call_spans._provider().shutdown()
        call_spans._provider.cache_clear()


@pytest.fixture
def collector(sent: Collector) -> Collector:
    sent.clear()
    return sent


@pytest.fixture(scope="module")
def log() -> io.StringIO:
    """Collect the log of the server, which keeps the stream of its start; pytest may have replaced it by then."""
    return io.StringIO()


@pytest.fixture(scope="module")
def traced(sent: Collector, log: io.StringIO) -> Iterator[Running]:
    before = structlog.get_config()
    structlog.configure(
        processors=[add_call, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(log),
    )
    with pytest.MonkeyPatch.context() as patch:
        # Workers compile, or read from the cache, the kernels that their task needs.
        patch.setattr(pools, "RUNS", QUOTES)
        with running(compute=None, warm=no_warm_up, traces="otlp", metrics_port=0, workers=1) as server:
            yield server
    structlog.configure(**before)


def client_of(server: Running, config: Config = TRACED) -> Client:
    return Client(f"127.0.0.1:{server.port}", config=config)


def served(collector: Collector, request_id: str) -> CollectedSpan:
    """The server's span of the call with that request id: others may still be on their way."""

    def own(found: list[CollectedSpan]) -> list[CollectedSpan]:
        return [one for one in found if one.attributes.get("tariffs.request_id") == request_id]

    (span,) = own(collector.wait_for(lambda found: bool(own(found))))
    return span


def test_one_trace_connects_the_client_to_the_kernel(collector: Collector, traced: Running) -> None:
    with client_of(traced) as client:
        client.impact(None, ["base"], on="2026-11-20", by=["origin"], response="none", include_lines=True)
    names = {"tariffs.v1.SimulationService/Simulate", "wait for a worker", "task simulate", "pass over lines"}

    def whole(found: list[CollectedSpan]) -> bool:
        return names <= {one.name for one in found} and sum("Simulate" in one.name for one in found) == 2

    spans = collector.wait_for(whole)
    kernel = next(one for one in spans if one.name == "pass over lines")
    spans = [one for one in spans if one.span.trace_id == kernel.span.trace_id]
    assert names <= {one.name for one in spans}
    chain = [kernel]
    while chain[-1].span.parent_span_id:
        chain.append(parent_of(spans, chain[-1]))
    *stages, task, server, client_span = chain
    assert task.name == "task simulate"
    assert {one.span.kind for one in (*stages, task)} == {INTERNAL}
    assert (server.span.kind, server.service) == (SERVER, "tariffs")
    assert (client_span.span.kind, client_span.service) == (CLIENT, "tariffs.client")
    assert task.attributes["process.pid"] in traced.server._pools.workers[0].processes
    assert task.attributes["tariffs.kernel_seconds"] > 0
    wait = within(spans, "wait for a worker")
    assert parent_of(spans, wait) == server
    assert wait.attributes == {"tariffs.lane": "sweeps", "tariffs.task": "simulate"}
    for inner, outer in pairwise(chain):
        assert outer.span.start_time_unix_nano <= inner.span.start_time_unix_nano
    for one in (server, client_span):
        assert one.attributes["rpc.system.name"] == "grpc"
        assert one.attributes["rpc.method"] == one.name == "tariffs.v1.SimulationService/Simulate"
        assert one.attributes["rpc.response.status_code"] == "OK"
        assert one.span.status.code != ERROR
    assert client_span.attributes["server.address"] == "127.0.0.1"
    assert client_span.attributes["server.port"] == traced.port


def test_an_error_has_its_reason_and_the_log_line_the_trace(
    collector: Collector, traced: Running, log: io.StringIO
) -> None:
    first = len(log.getvalue())
    with client_of(traced) as client, pytest.raises(TariffsError):
        client.duty("9503.00.0073", origin="Atlantis", value=1)

    def of_client(found: list[CollectedSpan]) -> list[CollectedSpan]:
        """The spans of calls that a client's span is around."""
        known = {one.span.span_id for one in found}
        return [one for one in found if one.name == CALL and one.span.parent_span_id in known]

    spans = collector.wait_for(lambda found: bool(of_client(found)))
    (server,) = of_client(spans)
    spans = [one for one in spans if one.span.trace_id == server.span.trace_id]
    client_span = parent_of(spans, server)
    assert {one.attributes["error.type"] for one in spans} == {"ORIGIN_UNKNOWN"}
    assert client_span.span.status.code == ERROR
    # The conventions: a fault of the caller is no error of the server.
    assert server.span.status.code != ERROR
    # The line is written after the answer.
    until(lambda: '"call"' in log.getvalue()[first:])
    printed = log.getvalue()[first:]
    (logged,) = [json.loads(text) for text in printed.splitlines() if '"call"' in text]
    assert logged["trace_id"] == server.span.trace_id.hex()
    assert logged["span_id"] == server.span.span_id.hex()


def quoted(collector: Collector, server: Running, request_id: str, *given: tuple[str, str]) -> CollectedSpan:
    """The server's span of a call with metadata."""
    server.duty.CalculateDuty(line(), timeout=20, metadata=(("x-request-id", request_id), *given))
    return served(collector, request_id)


def test_a_caller_without_a_trace_hears_the_one_of_the_server_and_the_metrics_name_it(
    collector: Collector, traced: Running
) -> None:
    _, call = traced.duty.CalculateDuty.with_call(line(), timeout=20, metadata=(("x-request-id", "heard"),))
    span = served(collector, "heard").span
    heard = dict(call.trailing_metadata())["traceparent"]
    assert heard == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
    samples = scraped(traced.server.metrics_port)["tariffs_call_seconds"].samples
    slowest = {one.exemplar.labels["trace_id"] for one in samples if one.exemplar is not None}
    assert span.trace_id.hex() in slowest
    with pytest.raises(grpc.RpcError) as caught:
        traced.duty.CalculateDuty(line(origin="Atlantis"), timeout=20)
    failed: Any = caught.value
    assert "traceparent" in dict(failed.trailing_metadata())


@pytest.mark.parametrize(("given", "sampled"), [("01", 1), ("00", 0)])
def test_a_caller_says_whether_its_trace_is_sampled(
    collector: Collector, traced: Running, given: str, sampled: int
) -> None:
    trace = os.urandom(16).hex()
    entry = ("traceparent", f"00-{trace}-{'cd' * 8}-{given}")
    traced.duty.CalculateDuty(line(), timeout=20, metadata=(entry,))
    quoted(collector, traced, f"after-{given}")
    assert [one.span.trace_id.hex() for one in collector.spans()].count(trace) == sampled


@pytest.mark.parametrize("given", ["", "00-x-y-01", "ff" * 40, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_malformed_context_begins_a_trace_of_its_own(
    collector: Collector, traced: Running, given: str
) -> None:
    span = quoted(collector, traced, f"malformed-{len(given)}", ("traceparent", given)).span
    assert not span.parent_span_id


def test_a_call_over_http_is_in_the_trace_of_its_caller(collector: Collector) -> None:
    trace = os.urandom(16).hex()
    context = {"traceparent": f"00-{trace}-{'cd' * 8}-01", "x_request_id": "http"}
    with running(warm=no_warm_up, traces="otlp", http_port=0) as server:
        answer = post(server.server.http_port, "DutyService/CalculateDuty", QUOTE, **context)
    assert answer.status == 200
    assert served(collector, "http").span.trace_id.hex() == trace


def test_a_long_run_has_a_trace_of_its_own_linked_to_the_call_that_started_it(
    collector: Collector, traced: Running
) -> None:
    with client_of(traced) as client:
        run = client.start(None, ["base"], on="2026-11-20", by=["origin"], response="none")
        run.wait()
    names = {"run simulate", "task run", "tariffs.v1.SimulationService/StartRun"}
    spans = collector.wait_for(lambda found: names <= {one.name for one in found})
    starter = next(one for one in spans if "StartRun" in one.name and one.span.kind == SERVER)
    own = within(spans, "run simulate")
    assert own.span.trace_id != starter.span.trace_id
    assert not own.span.parent_span_id
    (link,) = own.span.links
    assert (link.trace_id, link.span_id) == (starter.span.trace_id, starter.span.span_id)
    assert own.attributes["tariffs.run"] == run.name
    assert parent_of(spans, within(spans, "task run")) == own


def test_variables_of_opentelemetry_are_honoured(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "duty")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    with running(warm=no_warm_up, traces="otlp") as server:
        server.duty.CalculateDuty(line(), timeout=20)
    assert not [one for one in collector.spans() if one.service == "duty"]
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "1")
    with running(warm=no_warm_up, traces="otlp") as server:
        server.duty.CalculateDuty(line(), timeout=20)
    (span,) = [one for one in collector.spans() if one.service == "duty"]
    assert span.name == CALL
    assert "secret" in {sent.get("x-key") for sent in collector.metadata}
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert tracing.start_tracing("otlp") is None


def test_a_collector_that_does_not_answer_delays_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with running(warm=no_warm_up, traces="otlp") as server:
            server.duty.CalculateDuty(line(), timeout=20)
            began = time.monotonic()
            server.stop_soon().result(60)
            assert time.monotonic() - began < otel_tracing.CLOSE_SECONDS + 3.0


def test_without_the_extra_the_start_names_it_and_another_word_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "_MODULE", "tariffs.service.observability.not_installed")
    with pytest.raises(ServiceError) as absent:
        tracing.start_tracing("otlp")
    assert absent.value.reason == "EXTRA_MISSING"
    assert "tariffs[telemetry]" in absent.value.fix
    with Client("127.0.0.1:1", config=Config(traces="loud")) as client, pytest.raises(TariffsError) as loud:
        client.duty("9503.00.0073", origin="CN", value=1)
    assert loud.value.reason == "SETTING_INVALID"


OFF = """
import json, sys
from tests.service.harness import no_warm_up, running
from tariffs.client import Client
with running(warm=no_warm_up, metrics_port=0) as server, Client(f"127.0.0.1:{server.port}") as client:
    client.duty("9503.00.0073", origin="CN", value=1)
print(json.dumps(sorted(name for name in sys.modules if name.startswith("opentelemetry"))))
"""


def test_switched_off_nothing_of_opentelemetry_is_imported() -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TARIFFS_"))
    }
    command = [sys.executable, "-c", OFF]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment)
    assert json.loads(done.stdout.splitlines()[-1]) == []
