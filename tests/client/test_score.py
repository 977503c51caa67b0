"""Scores from Python, over the wire, on the command line and in a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run


def test_the_command_line_prints_years_and_their_sum(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares, report, written = (tmp_path / name for name in ("shares.csv", "score.html", "score.json"))
    shares.write_text("origin,share\nCN,0.8\nall,0.95\n", encoding="utf-8")
    words = ["score", "--from", "2028", "--to", "2029", "--response", "none", "--target", server]
    words += ["--collected", f"@{shares}", "--tax-offset", "jct_2023"]
    assert run([*words, "-o", str(report)]) == 0
    assert "revenue by fiscal year" in " ".join(capsys.readouterr().out.split())
    assert "Revenue by fiscal year" in report.read_text(encoding="utf-8")
    assert run([*words, "--json"]) == 0
    written.write_text(text := capsys.readouterr().out, encoding="utf-8")
    found = json.loads(text)
    (block,) = found["scenarios"]
    assert [row["fiscal_year"] for row in block["years"]] == [2028, 2029]
    for name in ("revenue", "conventional", "cbo_customs"):
        assert block["total"][name] == pytest.approx(sum(row[name] for row in block["years"]), rel=1e-12)
    assert block["total"]["dynamic"] is None
    facts = found["provenance"]["details"]["score"]
    assert (facts["tax_offset"], facts["collected"]) == ("jct_2023", {"CN": 0.8, "all": 0.95})
    assert "LAW_AS_SCHEDULED" in {note["reason"] for note in found["notes"]}
    assert run(["replay", str(written), "--target", server]) == 0


def test_a_server_gives_the_same_score(server: str) -> None:
    with Client(server) as there, Client.local() as here:
        one, other = (
            client.score(["base"], first=2028, last=2028, response="none") for client in (there, here)
        )
    assert one.score is not None
    assert other.score is not None
    assert one.score.equals(other.score)
