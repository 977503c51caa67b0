"""Stored scenarios, and their names in calls.

A name is `team/NAME` or `team/OWNER/NAME`, with `@VERSION` or `#DIGEST` behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tariffs.engine.errors import ScenarioError

PREFIX = "team/"
_NAME = re.compile(
    r"team/(?:(?P<owner>[^\x00-\x1f]{1,200})/)?(?P<name>[a-z0-9][a-z0-9._-]{0,99})"
    r"(?:@(?P<version>[1-9][0-9]{0,8}))?(?:#(?P<digest>[0-9a-f]{12,64}))?"
)


@dataclass(frozen=True, slots=True)
class StoredName:
    """A name as a call gives it.

    Attributes:
        name: id of the scenario.
        owner: its owner; empty for the caller, or whoever shares one of this name.
        version: its version; 0 is the newest.
        digest: digest, or its beginning, that it must have; empty for any.
    """

    name: str
    owner: str = ""
    version: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text to store, and the result of its check under a law."""

    name: str
    title: str
    digest: str
    text: str
    law_digest: str
    result: bytes


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a stored scenario; times are seconds since 1970, `result` is its newest check."""

    owner: str
    name: str
    version: int
    title: str
    digest: str
    text: str
    stored: float
    created: float
    changes: int
    shared_with: str
    result: bytes | None = None

    @property
    def full_name(self) -> str:
        """Its name in calls."""
        return name_of(self.owner, self.name)

    @property
    def etag(self) -> str:
        """State of the scenario: differs after every change of it."""
        return f"{round(self.created * 1e6):x}-{self.changes}"


def parse_name(text: str, field: str) -> StoredName:
    """Read a name; raises ScenarioError SCENARIO_NOT_FOUND for any other text."""
    match = _NAME.fullmatch(text)
    if match is None or not text.isprintable():
        raise not_found(text, field)
    return StoredName(match["name"], match["owner"] or "", int(match["version"] or 0), match["digest"] or "")


def name_of(owner: str, name: str) -> str:
    """Return the full name of a scenario."""
    return f"{PREFIX}{owner}/{name}"


def not_found(text: str, field: str) -> ScenarioError:
    """Make the error for a name that is no stored scenario of the caller or shared with it."""
    return ScenarioError(
        "SCENARIO_NOT_FOUND",
        f"You have no stored scenario {text[:120]!r}, and none is shared with you.",
        path=field,
        fix="`tariffs scenario list` lists those there; the form is team/NAME or team/OWNER/NAME, with @VERSION.",
    )
