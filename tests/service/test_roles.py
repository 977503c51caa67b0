"""Every method of every service says which role it needs."""

from __future__ import annotations

import itertools

import pytest
from google.longrunning import operations_pb2
from grpc_channelz.v1 import channelz_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tariffs.engine.errors import ServiceError
from tariffs.service.server.server import SERVICES
from tariffs.service.wire.identity import ALL_ROLES, ROLES, Caller
from tariffs.service.wire.roles import ANY, ROLES_NEEDED, check_role
from tariffs.v1 import contract

STANDARD = (operations_pb2, channelz_pb2, reflection_pb2)


def methods() -> set[str]:
    """Full names of the methods that a server answers, health apart, from the descriptors."""
    own = {f"/tariffs.v1.{method}" for method in contract.methods()}
    standard = {
        f"/{service.full_name}/{method.name}"
        for module in STANDARD
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    newer = {name.replace(".v1alpha.", ".v1.") for name in standard if ".v1alpha." in name}
    return own | standard | newer


def test_every_method_declares_its_role_and_nothing_else_does() -> None:
    assert set(ROLES_NEEDED) == methods()
    assert set(ROLES_NEEDED.values()) == {ANY, *ROLES}


def test_every_service_of_the_server_is_among_them() -> None:
    assert {name.split("/")[1] for name in ROLES_NEEDED} >= set(SERVICES)


@pytest.mark.parametrize(("held", "needed"), list(itertools.product(("", *ROLES), (ANY, *ROLES))))
def test_a_role_has_the_rights_of_those_before_it(held: str, needed: str) -> None:
    who = Caller("ann", "ann", frozenset({held} - {""}))
    order = ("", *ROLES)
    if order.index(held) >= order.index(needed):
        return check_role(who, needed, "It")
    with pytest.raises(ServiceError) as caught:
        check_role(who, needed, "It")
    error = caught.value
    assert (error.reason, error.code, error.metadata) == (
        "NOT_ALLOWED",
        "PERMISSION_DENIED",
        {"role": needed},
    )
    assert needed in error.message
    return None


def test_without_identities_everybody_has_every_role() -> None:
    assert Caller().roles == ALL_ROLES
