"""Run the server as `python -m tariffs.service` does, but without compiling kernels at the start.

For tests that start several processes and ask for few runs: kernels are compiled, or read from their cache, by the
first run of each worker.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tariffs.service import __main__ as command
from tariffs.service.server import pools, serving
from tariffs.service.server.listener import Endpoint
from tariffs.service.server.warmup import QUOTES
from tariffs.service.settings.settings import Settings

pools.RUNS = QUOTES  # type: ignore[attr-defined] # an imported name
_serve_shared = serving.serve_shared


def serve(settings: Settings, endpoint: Endpoint, parent: int, on_serving: Callable[[], None]) -> int:
    """Serve as one of several processes; a spawned process imports this module, and so the change above."""
    return _serve_shared(settings, endpoint, parent, on_serving)


if __name__ == "__main__":
    from tests.service import light_server

    serving.serve_shared = light_server.serve
    sys.exit(command.main())
