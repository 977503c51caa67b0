"""An Arrow Flight server that gives the lines of the run; it prints its port and serves until SIGTERM.

`python -m tests.tools.load.flight`, with pyarrow installed.
"""

from __future__ import annotations

import importlib
import signal
import sys
from typing import Any

from tests.tools.load import lines


def serve() -> None:
    """Serve until SIGTERM."""
    flight: Any = importlib.import_module("pyarrow.flight")
    table = lines.frame(lines.WHOLE).to_arrow()

    class Lines(flight.FlightServerBase):  # type: ignore[misc] # pyarrow is imported by name
        def do_get(self, _context: Any, _ticket: Any) -> Any:
            return flight.RecordBatchStream(table)

    server = Lines("grpc://127.0.0.1:0")
    signal.signal(signal.SIGTERM, lambda _number, _frame: server.shutdown())
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    serve()
