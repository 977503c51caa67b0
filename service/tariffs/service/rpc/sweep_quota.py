"""Quota of a caller on the points of a sweep."""

from __future__ import annotations

from tariffs.engine.errors import ServiceError
from tariffs.service.rpc.sweeps import points_of
from tariffs.service.wire.identity import Caller
from tariffs.v1 import simulation_service_pb2 as pb


def check_points(who: Caller, request: pb.SweepRequest) -> None:
    """Refuse a sweep with more points than the caller's quota.

    Raises:
        ServiceError: ROW_QUOTA.
        InputError: the points cannot be read.
    """
    limit = who.quotas.sweep_points
    if limit is None:
        return
    count = len(points_of(request))
    if count > limit:
        raise ServiceError(
            "ROW_QUOTA",
            f"The sweep has {count:,} points, and your quota `sweep_points` is {limit:,}.",
            field="points",
            fix="Give fewer points, or ask the operators of the server for a higher quota.",
            metadata={"limit": str(limit), "quota": "sweep_points"},
        )
