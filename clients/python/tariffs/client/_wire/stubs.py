"""Make the methods of all services that the client calls on one channel."""

from __future__ import annotations

from typing import Any

import grpc
from google.longrunning import operations_pb2_grpc

from tariffs.client._wire.connection import connect
from tariffs.client.config import Config
from tariffs.v1 import (
    duty_service_pb2_grpc,
    law_service_pb2_grpc,
    refund_service_pb2_grpc,
    scenario_service_pb2_grpc,
    simulation_service_pb2_grpc,
    sweep_service_pb2_grpc,
    table_service_pb2_grpc,
    watch_service_pb2_grpc,
)

_STUBS = (
    duty_service_pb2_grpc.DutyServiceStub,
    simulation_service_pb2_grpc.SimulationServiceStub,
    law_service_pb2_grpc.LawServiceStub,
    refund_service_pb2_grpc.RefundServiceStub,
    scenario_service_pb2_grpc.ScenarioServiceStub,
    sweep_service_pb2_grpc.SweepServiceStub,
    table_service_pb2_grpc.TableServiceStub,
    watch_service_pb2_grpc.WatchServiceStub,
    operations_pb2_grpc.OperationsStub,
)


def open_channel(target: str, config: Config) -> tuple[grpc.Channel, dict[str, Any]]:
    """Open a channel, and return it with its methods by name; sends nothing yet, raises as `connect`."""
    channel = connect(target, config)
    return channel, methods_on(channel)


def methods_on(channel: grpc.Channel) -> dict[str, Any]:
    """Make the methods of all services on a channel, by name."""
    stubs = [vars(stub(channel)) for stub in _STUBS]
    return {method: call for stub in stubs for method, call in stub.items()}
