"""Snippets of the pages: commands, programs and files, and a folder with the files that they name."""

from __future__ import annotations

import json
import re
import shlex
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
    entries = pl.DataFrame(
        {
            "line_id": [str(place) for place in range(len(CODES))],
            "entry_id": ["a"] * len(CODES),
            "entry_date": ["2025-11-17"] * len(CODES),
            "hts": list(CODES),
            "origin": list(CODES.values()),
            "customs_value": [1000.0] * len(CODES),
            "quantity": [10.0] * len(CODES),
        }
    )
    for name in ("entries.csv", "my-lines.csv"):
        entries.write_csv(folder / name)
    entries.write_parquet(folder / "entries.parquet")
    (folder / "entries").mkdir()
    entries.write_parquet(folder / "entries" / "part.parquet")
    _write_broker_files(folder)
    _write_public_files(folder)
    (folder / "soybeans.csv").write_bytes((ROOT / "docs" / "soybeans.csv").read_bytes())
    (folder / "docs").mkdir()
    (folder / "docs" / "bicycle.csv").write_bytes((ROOT / "docs" / "bicycle.csv").read_bytes())
    (scenario,), (uniform,) = (fences(ROOT / page, "yaml") for page in ("README.md", "docs/sweeps.md"))
    (folder / "my-scenario.yaml").write_text(scenario, encoding="utf-8")
    (folder / "uniform.yaml").write_text(uniform, encoding="utf-8")
    (mapping,) = fences(ROOT / "docs" / "tables.md", "toml")
    (folder / "my-broker.toml").write_text(mapping, encoding="utf-8")
    (parameters,) = fences(ROOT / "docs" / "models" / "parameters.md", "csv")
    (folder / "parameters.csv").write_text(parameters, encoding="utf-8")


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
