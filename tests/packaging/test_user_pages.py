"""The pages on JSON documents and other languages say what is so."""

from __future__ import annotations

import json
import re
import shlex
from importlib.resources import files
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_tools import protoc

from tariffs.client.cli.__main__ import run
from tariffs.v1 import duty_service_pb2

TABLE = ("{table}", "--baseline", "2025-01-01", "--response", "none")
SWEPT = (*TABLE, "-s", "rates-by-country")
COMMANDS = {
    "duty": ("duty", "9503.00.0073", "--origin", "CN", "--date", "2025-06-02", "--value", "10"),
    "entries": ("duty", "--entries", "{table}"),
    "impact": ("impact", *TABLE, "--on", "2025-12-01"),
    "timeline": ("timeline", *TABLE, "--start", "2025-12-01", "--end", "2025-12-20"),
    "refund": ("refund", "{table}"),
    "sweep": ("sweep", *SWEPT, "--vary", "cn=0%,10%"),
    "seek": ("seek", *SWEPT, "--vary", "cn=0%:60%", "--target", "duty=50"),
    "table-check": ("table", "check", "{table}"),
    "bom": ("bom", "{bill}"),
    "changes": ("law", "changes", "--start", "2025-11-01", "--end", "2025-11-20"),
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_documents_have_the_keys_of_the_page(
    kind: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("hts,origin,customs_value,entry_id,entry_date\n9503.00.0073,CN,100,a,2025-06-02\n")
    bill = tmp_path / "bill.csv"
    bill.write_text("part,parent,hts,origin,unit_cost\nToy,,9503.00.0073,CN,100\n")
    assert run([*(word.format(table=table, bill=bill) for word in COMMANDS[kind]), "--local", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    page = (root / "docs" / "json.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if f"`tariffs.{kind}/v1`" in line)
    always = row.split("|")[3].split(";")[0]
    assert document.pop("schema") == f"tariffs.{kind}/v1"
    assert list(document) == re.findall(r"`(\w+)`", always)


def test_the_contract_is_compiled_from_the_folders_that_the_page_names(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "other-languages.md").read_text(encoding="utf-8")
    commands = [
        shlex.split(line.removeprefix("$ ")) for line in page.splitlines() if line.startswith("$ protoc")
    ]
    assert commands
    for command in commands:
        folders = [word.split("=")[1] for word in command if word.startswith("--proto_path=")]
        (pattern,) = (word for word in command if word.endswith("*.proto"))
        sources = sorted(map(str, root.glob(pattern)))
        paths = [f"--proto_path={root / folder}" for folder in folders]
        paths.append(f"--proto_path={files('grpc_tools') / '_proto'}")
        assert protoc.main(["protoc", *paths, f"--descriptor_set_out={tmp_path / 'all'}", *sources]) == 0


def test_the_request_of_the_page_is_a_request(root: Path) -> None:
    page = (root / "docs" / "other-languages.md").read_text(encoding="utf-8")
    (command,) = (shlex.split(line) for line in page.splitlines() if line.startswith("$ grpcurl"))
    request = json_format.Parse(command[command.index("-d") + 1], duty_service_pb2.CalculateDutyRequest())
    assert request.line.hts == "9503.00.0073"
    assert command[-1] == "tariffs.v1.DutyService/CalculateDuty"


def test_the_requests_for_curl_are_requests_of_their_methods(root: Path) -> None:
    page = (root / "docs" / "other-languages.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in page.splitlines() if line.startswith("$ curl")]
    assert len(commands) == 4
    for command in commands:
        (address,) = (word for word in command if "://" in word)
        service, method = address.rsplit("/", 2)[1:]
        found = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
        (text,) = (word for word in command if word.startswith(("{", "message={")))
        request = message_factory.GetMessageClass(found.input_type)()
        json_format.Parse(text.removeprefix("message="), request)
        assert ("-G" in command) <= (found.GetOptions().idempotency_level == 1)
