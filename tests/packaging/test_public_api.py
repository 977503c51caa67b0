"""The public names of the client are those recorded: a change of them is seen, and told."""

from __future__ import annotations

from tests.packaging.public_api import RECORDED, listed


def test_public_names_and_signatures_are_those_recorded() -> None:
    # Made anew by `python -m tests.packaging.public_api --write`.
    assert listed() == RECORDED.read_text(encoding="utf-8")
