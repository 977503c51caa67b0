"""Snippets of the pages: commands, programs and files, and a folder with the files that they name."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import zipfile
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if "law" not in path.parent.name
)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ (tariffs .*?(?:\\\n.*?)*)$", re.MULTILINE)
CODES = {"9503000073": "CN", "8471300100": "VN", "7208101500": "CA", "4202923120": "CN", "8703230190": "KR"}


def fences(page: Path, language: str) -> list[str]:
    """Texts of the fences of a language."""
    found = _FENCE.findall(page.read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


def commands(page: Path) -> list[list[str]]:
    """Commands of `tariffs` in the consoles of a page, as words without the name of the program."""
    texts = (text for console in fences(page, "console") for text in _COMMAND.findall(console))
    return [shlex.split(text.replace("\\\n", " "))[1:] for text in texts]


def name_of(page: Path) -> str:
    """Path of a page below the project."""
    return page.relative_to(ROOT).as_posix()


def write_files(folder: Path) -> None:
    """Write the files that the commands and programs of the pages name."""
    columns = {
        "line_id": list(map(str, range(len(CODES)))),
        "hts": list(CODES),
        "origin": list(CODES.values()),
    }
    entries = pl.DataFrame(columns).with_columns(
        entry_id=pl.lit("a"), entry_date=pl.lit("2025-11-17"), customs_value=1000.0, quantity=10.0
    )
    for name in ("entries.csv", "my-lines.csv"):
        entries.write_csv(folder / name)
    entries.write_parquet(folder / "entries.parquet")
    (folder / "entries").mkdir()
    entries.write_parquet(folder / "entries" / "part.parquet")
    _write_broker_files(folder)
    _write_public_files(folder)
    (folder / "docs").mkdir()
    for name in ("soybeans.csv", "docs/bicycle.csv"):
        shutil.copy(ROOT / "docs" / Path(name).name, folder / name)
    for name, page in {
        "my-scenario.yaml": "README.md",
        "uniform.yaml": "docs/sweeps.md",
        "my-broker.toml": "docs/tables.md",
        "parameters.csv": "docs/models/parameters.md",
    }.items():
        (text,) = fences(ROOT / page, name.rpartition(".")[2])
        (folder / name).write_text(text, encoding="utf-8")


def _write_broker_files(folder: Path) -> None:
    report = (
        "Entry Summary Number,Entry Summary Line Number,Entry Date,Country of Origin Code,HTS Number - Full,"
        "Line Tariff Goods Value Amount,Line Tariff Duty Amount\n"
        'B1,1,05/28/2025,CN,99030124,,$200.00\nB1,1,05/28/2025,CN,9503000073,"$1,000.00",$0.00\n'
    )
    for name in ("es003.csv", "may.csv", "june.csv"):
        (folder / name).write_text(report, encoding="utf-8")
    lines = "Tariff No.;Country;Entered USD;Entry;Line\n9503.00.0073;China;1.000,00;1;1\n"
    (folder / "lines.csv").write_text(lines, encoding="utf-8")


def _write_public_files(folder: Path) -> None:
    record = "95030000735700".ljust(73) + f"{1000:015d}".ljust(30) + f"{0:015d}\n"
    for name in ("IMDB2501.ZIP", "IMDB2502.ZIP"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("IMP_DETL.TXT", record)
    line = {
        "htsno": "9503.00.00",
        "indent": "0",
        "units": [],
        "general": "Free",
        "special": "",
        "other": "70%",
    }
    (folder / "hts_2026_revision_12.json").write_text(json.dumps([line]), encoding="utf-8")
