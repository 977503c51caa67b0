"""`python -m tariffs.client.demo`: cost of the Kuala Lumpur items, line by line and in total.

A server is started and asked over gRPC about all US imports of 2024.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

from tariffs.client._interrupts import repeat_lost_interrupts
from tariffs.client.errors import TariffsError, module_of

FOLDER = Path("build/demo")
_INTERRUPTED = 130


def main() -> int:
    """Run the demo and return the exit code; the server is ended in every case."""
    signal.signal(signal.SIGTERM, _interrupt)
    repeat_lost_interrupts()
    try:
        _run()
    except TariffsError as error:
        print(f"tariffs: {error.reason}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _run() -> None:
    demo = module_of("all", "tariffs.client.demo.founding_question")
    demo.run(FOLDER, lambda text: print(text, flush=True))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
