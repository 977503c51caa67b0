"""Each rule of the house finds a fault that is put into one file; whether the checkout has one, `make lint` says."""

from __future__ import annotations

from functools import cache

import pytest

from tests.tools.house.__main__ import RULES
from tests.tools.house.tree import CLIENT, ENGINE, SERVICE, Fault, Tree

PAGE = """
    x = y

Joyce (2014), BEA. Do not use it. Limits, as identities.

x is y.
"""
ADDED = (
    ("long-module", f"{ENGINE}a.py", "x = 1\n" * 401),
    ("first-line", f"{ENGINE}a.py", '"""What a thing is."""\n'),
    ("first-line", f"{SERVICE}a.py", 'def f():\n    """Read it anew."""\n'),
    ("class-name", f"{ENGINE}z.py", "class _Law:\n    pass\n"),
    ("class-name", f"{SERVICE}a.py", "class CakeLayer:\n    pass\n"),
    ("file-name", f"{ENGINE}runs/law.py", ""),
    ("law-in-code", f"{ENGINE}a.py", 'origin = "CN"\n'),
    ("law-in-code", f"{ENGINE}a.py", 'x = f"{y} under 9903.01.25"\n'),
    *(("constants", f"{ENGINE}response/a.py", text) for text in (
        "A = 1.2\n", "B: float = -3\n", "C = {'x': 2.0}\n", "class S:\n    x: float = 0.35\n",
    )),
    ("table-sources", f"{ENGINE}response/data/a.csv", "x,source\n1,none\n"),
    ("table-sources", f"{ENGINE}response/data/a.csv", "x\n1\n"),
    *(("model-pages", "docs/models/a.md", PAGE.replace(part, "")) for part in (
        "=", "Do not use it", "Limits, as identities", "BEA", "x is y.",
    )),
    ("machine", "docs/install.md", "Look into /home/me/tariffs.\n"),
    ("rooms", f"{CLIENT}more.py", ""),
    ("rooms", "CONTRIBUTING.md", "## Commands\n"),
    ("namespace", "service/tariffs/__init__.py", ""),
    ("namespace", "engine/beside/__init__.py", ""),
    ("generated", "proto/tariffs/v1/a_pb2_grpc.py", "GRPC_GENERATED_VERSION = '9.9.9'\n"),
    ("lock", "requirements.lock", "grpcio==1.85.1\n"),
    ("extras", "docs/install.md", "`pip install 'tariffs[cli]'`\n"),
    ("pages", "docs/gone.md", "[nowhere](nowhere.md)\n"),
    ("pages", "docs/install.md", "    make gold\n"),
)  # fmt: skip
QUIET = '"""Goods of CN under 9903.01.25."""\n\nx: str = "CNY"\ny = f(2.0)\n\n\ndef f():\n    """Howl."""\n'
PYTHON_KEPT = {f"{ENGINE}law/law.py", f"{ENGINE}errors.py"}


@cache
def plain() -> Tree:
    """The checkout with a few of its modules, so that a rule is soon through."""
    tree = Tree.of_checkout()
    return Tree(frozenset(path for path in tree.paths if not path.endswith(".py") or path in PYTHON_KEPT))


def new_faults(rule: str, path: str, text: str) -> set[Fault]:
    find, _ = RULES[rule]
    return set(find(plain().with_file(path, text))) - set(find(plain()))


@pytest.mark.parametrize(("rule", "path", "text"), ADDED)
def test_a_fault_is_found_in_its_file(rule: str, path: str, text: str) -> None:
    found = new_faults(rule, path, text)
    assert found
    assert all(path.startswith(fault.path) for fault in found)


@pytest.mark.parametrize("rule", ["first-line", "law-in-code", "class-name", "constants"])
def test_other_words_are_no_fault(rule: str) -> None:
    assert new_faults(rule, f"{ENGINE}response/a.py", QUIET) == set()


def test_every_rule_has_a_fault_here() -> None:
    assert {rule for rule, *_ in ADDED} == set(RULES)
