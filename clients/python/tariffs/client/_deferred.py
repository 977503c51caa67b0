"""Defer the import of a large library to the first use of something in it."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any

_LOADING = RLock()


class _Deferred(ModuleType):
    """Stand for a module until an attribute is asked for; then it has all attributes of that module."""

    def __getattr__(self, name: str) -> Any:
        with _LOADING:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            module = import_module(self.__name__)
            self.__dict__.update(module.__dict__)
        return getattr(module, name)


def defer(name: str) -> None:
    """Let `import name` load nothing yet; a module that is loaded, or not installed, stays as it is.

    Modules of the library itself never meet the one that stands for it.
    """
    if name not in sys.modules and find_spec(name) is not None:
        sys.modules[name] = _Deferred(name)
