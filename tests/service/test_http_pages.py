"""The HTTP port has pages for probes and for generators of clients: /healthz and /openapi.json."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.service.harness import Running, no_warm_up, running
from tests.service.test_http_port import QUOTE, port_of
from tests.service.web_calls import HttpAnswer, call, post

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")


@pytest.fixture(scope="module")
def described(web: Running) -> Any:
    answer = call(port_of(web), "GET", "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


def health(server: Running, verb: str = "GET") -> HttpAnswer:
    return call(port_of(server), verb, "/healthz")


def test_a_server_that_serves_is_healthy_without_a_token(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("alice secret-a\n")
    with running(warm=no_warm_up, http_port=0, tokens_file=tokens) as server:
        found = health(server)
        assert (found.status, found.json) == (200, {"status": "SERVING"})
        assert found.headers["cache-control"] == "no-store"
        assert (health(server, "HEAD").status, health(server, "HEAD").body) == (200, b"")
        assert health(server, "POST").status == 405


def test_a_server_that_starts_or_stops_is_not_healthy() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def warm() -> None:
        begun.set()
        go_on.wait(60)

    found = list[HttpAnswer]()

    def look(server: Any) -> None:
        def ask() -> None:
            begun.wait(60)
            found.append(call(server.http_port, "GET", "/healthz"))
            go_on.set()

        threading.Thread(target=ask).start()

    with running(warm=warm, http_port=0, on_built=look, drain_seconds=1.0) as server:
        assert [(one.status, one.json) for one in found] == [(503, {"status": "NOT_SERVING"})]
        assert health(server).status == 200
        stopping = server.stop_soon()
        while not server.server._admission.stopping:
            pass
        assert health(server).status == 503
        stopping.result(60)


def test_the_description_has_every_call_with_one_answer(described: Any) -> None:
    paths = described["paths"]
    assert described["openapi"].startswith("3.1")
    assert "/tariffs.v1.DutyService/CalculateDuty" in paths
    assert "/google.longrunning.Operations/GetOperation" in paths
    assert "/tariffs.v1.SimulationService/Simulate" not in paths
    assert {verb for path in paths.values() for verb in path} == {"post"}


def test_every_reference_of_the_description_is_there(described: Any) -> None:
    text = json.dumps(described)
    named = {part.partition('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert named <= described["components"]["schemas"].keys()


def test_the_description_fits_requests_and_answers(web: Running, described: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    operation = described["paths"]["/tariffs.v1.DutyService/CalculateDuty"]["post"]
    answer = post(port_of(web), "DutyService/CalculateDuty", QUOTE)
    failed = post(port_of(web), "DutyService/CalculateDuty", {"line": {"hts": "0"}})

    def check(document: Any, content: Any) -> None:
        schema = {**content["content"]["application/json"]["schema"], "components": described["components"]}
        jsonschema.Draft202012Validator(schema).validate(document)

    check(QUOTE, operation["requestBody"])
    check(answer.json, operation["responses"]["200"])
    check(failed.json, operation["responses"]["default"])
    with pytest.raises(jsonschema.ValidationError):
        check({"line": {"no_such_field": 1}}, operation["requestBody"])


def test_who_may_not_use_reflection_gets_no_description(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("alice secret-a\n")
    with running(warm=no_warm_up, http_port=0, tokens_file=tokens) as server:
        assert call(port_of(server), "GET", "/openapi.json").reason == "TOKEN_INVALID"
        named = call(port_of(server), "GET", "/openapi.json", authorization="Bearer secret-a")
        assert named.status == 200
    with running(warm=no_warm_up, http_port=0, reflection="off") as server:
        assert call(port_of(server), "GET", "/openapi.json").status == 404
