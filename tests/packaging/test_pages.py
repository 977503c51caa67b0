"""Pages on the wire, JSON documents and other languages say what is so, and the site refuses broken links."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor
from grpc_tools import protoc

from tariffs.client.cli.__main__ import run
from tariffs.reference_pages import site, wire

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = sorted(path.stem for path in (ROOT / "proto" / "tariffs" / "v1").glob("*.proto"))


def rows(page: str, message: Descriptor) -> list[str]:
    """Rows of the section of a message."""
    part = page.split(f"{{ #{message.name} }}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


def test_every_message_field_and_method_is_on_its_page_in_the_words_of_the_contract(root: Path) -> None:
    pages = wire.pages(root)
    for name in CONTRACT:
        file, page = import_module(f"tariffs.v1.{name}_pb2").DESCRIPTOR, pages[f"{name}.md"]
        for message in file.message_types_by_name.values():
            assert rows(page, message) == [field.name for field in message.fields], message.name
        methods = [method.name for service in file.services_by_name.values() for method in service.methods]
        assert [method for method in methods if f"| `{method}` |" not in page] == []
    page = pages["duty_service.md"]
    assert "| `steel_share` | optional double | 3 | Value of the steel content over customs value. |" in page
    assert "| `line` | [EntryLine](duty_service.md#EntryLine) |" in page


def test_links_become_those_of_the_site(root: Path) -> None:
    page = root / "docs" / "service.md"
    text = "[a](sweeps.md#seek) [b](../README.md#install) [c](../deploy) [d](law) [e](https://x.org) [f](gone.md)"
    assert site.with_links(text, page, root) == (
        "[a](sweeps.md#seek) [b](../index.md#install) c [d](law/README.md) [e](https://x.org) [f](gone.md)"
    )


@pytest.mark.parametrize("target", ["gone.md", "other.md#gone"])
def test_a_broken_link_fails_the_build(tmp_path: Path, target: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "zensical.toml").write_text('[project]\nsite_name = "x"\n', encoding="utf-8")
    (tmp_path / "docs" / "index.md").write_text(f"# A\n\n[b]({target})\n", encoding="utf-8")
    (tmp_path / "docs" / "other.md").write_text("# B\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=tmp_path, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode != 0


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
    commands = [shlex.split(line[2:]) for line in page.splitlines() if line.startswith("$ protoc")]
    assert commands
    for command in commands:
        folders = [word.split("=")[1] for word in command if word.startswith("--proto_path=")]
        (pattern,) = (word for word in command if word.endswith("*.proto"))
        sources = sorted(map(str, root.glob(pattern)))
        paths = [f"--proto_path={root / folder}" for folder in folders]
        paths.append(f"--proto_path={files('grpc_tools') / '_proto'}")
        assert protoc.main(["protoc", *paths, f"--descriptor_set_out={tmp_path / 'all'}", *sources]) == 0


def test_the_requests_of_the_page_are_requests_of_their_methods(root: Path) -> None:
    page = (root / "docs" / "other-languages.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in page.splitlines() if line.startswith(("$ grpcurl", "$ curl"))]
    assert [command[1] for command in commands].count("grpcurl") == 1
    assert len(commands) == 5
    for command in commands:
        (address,) = (word for word in command if "tariffs.v1." in word)
        service, method = address.rsplit("/", 2)[-2:]
        file = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", service.rpartition(".")[2]).lower()
        import_module(f"tariffs.v1.{file}_pb2")
        found = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
        (text,) = (word for word in command if word.startswith(("{", "message={")))
        json_format.Parse(text.removeprefix("message="), message_factory.GetMessageClass(found.input_type)())
        assert ("-G" in command) <= (found.GetOptions().idempotency_level == 1)
