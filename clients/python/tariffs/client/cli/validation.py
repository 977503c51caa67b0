"""Find the parts of the engine that compare its results with published figures, in this process."""

from __future__ import annotations

import importlib
from typing import Any

from tariffs.client.errors import extra_missing


def validation_module(name: str) -> Any:
    """Import a module of the engine's validation.

    Raises:
        ExtraMissing: the engine is not installed.
    """
    try:
        # By name at run time: the client does not depend on the engine, only these commands do.
        return importlib.import_module(f"tariffs.engine.validation.{name}")
    except ModuleNotFoundError as error:
        raise extra_missing("server", error.name) from error
