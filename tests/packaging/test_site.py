"""The site of the documentation: pages in their place, the wire from its comments, broken links refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor

from tariffs.reference_pages import site, wire
from tariffs.v1 import (
    common_pb2,
    duty_service_pb2,
    law_service_pb2,
    refund_service_pb2,
    scenario_service_pb2,
    simulation_service_pb2,
    sweep_service_pb2,
    table_service_pb2,
)

CONTRACT = (
    common_pb2,
    duty_service_pb2,
    law_service_pb2,
    refund_service_pb2,
    scenario_service_pb2,
    simulation_service_pb2,
    sweep_service_pb2,
    table_service_pb2,
)


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    return wire.pages(root)


def rows(page: str, message: Descriptor) -> list[str]:
    """Rows of the section of a message."""
    part = page.split(f"{{ #{message.name} }}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


@pytest.mark.parametrize("module", CONTRACT, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_message_field_and_method_is_on_its_page(pages: dict[str, str], module: object) -> None:
    file = module.DESCRIPTOR  # type: ignore[attr-defined]  # generated code without types
    page = pages[f"{Path(file.name).stem}.md"]
    for message in file.message_types_by_name.values():
        assert rows(page, message) == [field.name for field in message.fields], message.name
    methods = [method.name for service in file.services_by_name.values() for method in service.methods]
    assert [name for name in methods if f"| `{name}` |" not in page] == []


def test_the_words_are_the_comments_of_the_contract(pages: dict[str, str]) -> None:
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
