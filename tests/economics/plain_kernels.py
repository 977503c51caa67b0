"""Run compiled kernels as plain Python."""

from __future__ import annotations

from types import ModuleType

import pytest


def as_plain_python(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Replace every kernel of some modules by its Python source."""
    for module in modules:
        for name, kernel in vars(module).copy().items():
            if hasattr(kernel, "py_func"):
                monkeypatch.setattr(module, name, kernel.py_func)
