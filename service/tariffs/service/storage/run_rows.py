"""Row of a long run in the run store, its name, digest and stored error."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from tariffs.engine.errors import InputError, ServiceError, TariffsError

WAITING, RUNNING, SUCCEEDED, FAILED, CANCELLED = "waiting", "running", "succeeded", "failed", "cancelled"
STATES = (WAITING, RUNNING, SUCCEEDED, FAILED, CANCELLED)
OPEN = (WAITING, RUNNING)
PREFIX = "operations/"
CRASH_LIMIT = 3
_NAME = re.compile(rf"{PREFIX}[0-9a-f]{{32}}")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; times are seconds since 1970, `digest` names the directory of its parts, `started_by` a trace."""

    id: str
    owner: str
    request_id: str | None
    kind: str
    request: bytes
    maker: str
    digest: str
    state: str
    stage: str
    fraction: float
    finished_parts: int
    total_parts: int
    attempts: int
    crashes: int
    worker: str
    lease_until: float
    cancel_asked: bool
    error: str | None
    provenance: bytes | None
    message_count: int
    created: float
    ended: float | None
    shared_with: str
    started_by: str

    @property
    def name(self) -> str:
        """The name of the operation."""
        return PREFIX + self.id

    @property
    def is_open(self) -> bool:
        """True while the run waits or is computed."""
        return self.state in OPEN

    @property
    def failure(self) -> TariffsError | None:
        """The error that ended the run; None without one."""
        return None if self.error is None else _read_error(self.error)


def run_digest(kind: str, request: bytes, maker: str) -> str:
    """Digest a request together with the law and engine version that compute it."""
    digest = hashlib.sha256()
    for part in (kind.encode(), maker.encode(), request):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def id_of(name: str) -> str:
    """Return the id in an operation name; raises InputError RUN_NOT_FOUND for any other text."""
    if not _NAME.fullmatch(name):
        raise not_found(name)
    return name.removeprefix(PREFIX)


def not_found(name: str) -> InputError:
    """Make the error for a name of no run that the caller may see."""
    return InputError(
        "RUN_NOT_FOUND",
        f"You have no run {name[:80]!r}.",
        field="name",
        fix="List your runs; ended runs are deleted after TARIFFS_KEEP_DAYS.",
    )


def write_error(error: TariffsError) -> str:
    """Encode an error as JSON text for the database."""
    names = ("reason", "message", "field", "fix", "metadata")
    return json.dumps({name: getattr(error, name) for name in names})


def _read_error(text: str) -> TariffsError:
    facts: dict[str, Any] = json.loads(text)
    return ServiceError(facts.pop("reason"), facts.pop("message"), **facts)


def cancelled_values(now: float) -> dict[str, Any]:
    """Make the values of a run that ends cancelled."""
    error = ServiceError("CANCELLED", "The run was cancelled.")
    return {"state": CANCELLED, "ended": now, "lease_until": 0.0, "error": write_error(error)}


def crashed_values(now: float) -> dict[str, Any]:
    """Make the values of a run that ends because its worker died too often."""
    error = ServiceError(
        "ENGINE_INVARIANT",
        f"The worker process died {CRASH_LIMIT} times while it computed this run, without a new part.",
        fix="Split the run into smaller ones; the server log has the details.",
    )
    return {"state": FAILED, "ended": now, "lease_until": 0.0, "error": write_error(error)}
