"""Import modules of optional parts when they are needed: the client itself depends on none of them."""

from __future__ import annotations

import importlib
from typing import Any

from tariffs.client.errors import extra_missing


def module_of(extra: str, name: str) -> Any:
    """Import a module of an optional part, such as `server` for those of the engine.

    Raises:
        ExtraMissing: the part is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise extra_missing(extra, error.name) from error
