"""Methods of a client whose modules are loaded when they are first asked for are those of their classes."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import FunctionType

import pytest

from tariffs.client import Client
from tariffs.client._verbs.loaded_later import METHODS

PROGRAM = """
import sys
from tariffs.client._deferred import defer
defer("polars")
from tariffs.client.client import Client
print(sorted(name for name in sys.modules if name in {modules!r}))
"""


@pytest.mark.parametrize("place", METHODS)
def test_all_methods_of_a_class_are_named(place: str) -> None:
    module, name = place.split(".")
    found = getattr(import_module(f"tariffs.client._verbs.{module}"), name)
    methods = {method for method, one in vars(found).items() if isinstance(one, FunctionType)}
    assert methods == set(METHODS[place])
    assert [getattr(Client, method) for method in methods] == [vars(found)[method] for method in methods]


def test_a_client_loads_none_of_their_modules_nor_polars() -> None:
    modules = ["polars._utils", *(f"tariffs.client._verbs.{place.split('.')[0]}" for place in METHODS)]
    program = PROGRAM.format(modules=modules)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
