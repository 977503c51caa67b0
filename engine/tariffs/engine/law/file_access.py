"""Say what readers of law data need of the place that holds its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class LawFiles(Protocol):
    """Files of a law; names are relative, with slashes."""

    def names(self, pattern: str) -> Sequence[str]:
        """List the files that match a pattern, sorted; empty where there are none."""

    def mapping(self, name: str) -> Any:
        """Read a YAML file with every scalar as text.

        Raises:
            OSError: the file is not there.
            yaml.YAMLError: it is not YAML.
        """

    def text(self, name: str) -> str:
        """Read a file of text; raises OSError if it is not there."""
