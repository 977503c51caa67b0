"""`python -m tariffs.client.demo`: the founding question, asked of a server over gRPC on all US imports of 2024.

What do the Kuala Lumpur items cost, line by line and in total?
"""

from __future__ import annotations

import importlib
import signal
import sys
from pathlib import Path
from types import FrameType

from tariffs.client.errors import TariffsError, extra_missing

FOLDER = Path("build/demo")
_INTERRUPTED = 130


def main() -> int:
    """Run the demo; gives the exit code. The server it starts ends with it, whatever happens."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        _work()
    except TariffsError as error:
        print(f"tariffs: {error.reason}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _work() -> None:
    try:
        work = importlib.import_module("tariffs.client.demo.founding_question")
    except ModuleNotFoundError as error:
        raise extra_missing("all", error.name) from error
    work.run(FOLDER, lambda text: print(text, flush=True))


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
