"""Client of the tariffs service: Polars tables in, duties, landed cost and trade volume out.

from tariffs.client import Client

client = Client()                     # a server: TARIFFS_TARGET or localhost:50051
client = Client.local()               # or the engine in this process
quote = client.duty("9503.00.0073", origin="CN", entry_date="2025-11-10", value=10000)
result = client.impact(scenarios=["base", "ieepa-upheld-truce-lapsed"], on="2026-11-20", by=["origin"])
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tariffs.client._public import *  # noqa: F403


def __getattr__(name: str) -> Any:
    # Loading polars and grpc takes half a second. The command line must be able to catch Ctrl-C meanwhile, and it is
    # inside this package. A submodule is asked for here before it is imported.
    if find_spec(f"{__name__}.{name}") is None:
        public = import_module(f"{__name__}._public")
        if name == "__all__" or name in public.__all__:
            return globals().setdefault(name, getattr(public, name))
    if name == "__version__":
        return import_module("importlib.metadata").version("tariffs")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *import_module(f"{__name__}._public").__all__})
