"""LawService.ListVersions: the laws that calls may name, and the packs that are being checked or were refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tariffs.engine.errors import TariffsError
from tariffs.service.rpc.laws import LAWS, ServedLaw
from tariffs.service.rpc.time_texts import time_text
from tariffs.v1 import law_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class UnservedPack:
    """Law pack that is being checked, or was refused.

    Attributes:
        pack: the name of its file.
        error: why it was refused; None while it is checked.
        since: when it was found or refused, seconds since 1970.
    """

    pack: str
    error: TariffsError | None
    since: float


def list_versions(request: pb.ListVersionsRequest) -> pb.ListVersionsResponse:
    """List the laws of this process."""
    return versions_beside(())


def versions_beside(unserved: Sequence[UnservedPack]) -> pb.ListVersionsResponse:
    """List the laws of this process, then packs that are not served."""
    served, default = LAWS.served, LAWS.settle("")
    return pb.ListVersionsResponse(
        versions=[
            *(_served(one, is_default=one is default, is_latest=one is served[0]) for one in served),
            *map(_unserved, unserved),
        ]
    )


def _served(one: ServedLaw, *, is_default: bool, is_latest: bool) -> pb.LawVersion:
    return pb.LawVersion(
        version=one.version,
        digest=one.digest,
        as_of=one.as_of,
        read_to=one.read_to,
        pack=one.pack,
        state=pb.LAW_STATE_SERVED,
        state_time=time_text(one.since or None),
        key_id=one.key_id,
        is_default=is_default,
        is_latest=is_latest,
    )


def _unserved(one: UnservedPack) -> pb.LawVersion:
    error = one.error
    if error is None:
        return pb.LawVersion(pack=one.pack, state=pb.LAW_STATE_LOADING, state_time=time_text(one.since))
    return pb.LawVersion(
        pack=one.pack,
        state=pb.LAW_STATE_REFUSED,
        reason=error.reason,
        message=error.message,
        fix=error.fix,
        state_time=time_text(one.since),
    )
