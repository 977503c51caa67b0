"""Run the server: `python -m tariffs.service` serves until SIGTERM and logs JSON lines to standard output."""

from __future__ import annotations

import argparse
import gc
import os
import sys

# gRPC would write text to standard error; it reads this variable when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def main(arguments: list[str] | None = None) -> int:
    """Run the server or its check; return the exit code."""
    # Modules stay to the end: looking through them for garbage takes a tenth of their loading.
    gc.disable()
    from tariffs.service.server.serving import check, serve

    gc.enable()
    parser = argparse.ArgumentParser(
        prog="python -m tariffs.service", description="Serve tariffs.v1 over gRPC."
    )
    parser.add_argument("--host", help="address to listen on (default TARIFFS_HOST or 127.0.0.1)")
    parser.add_argument("--port", help="port, 0 for a free one (default TARIFFS_PORT or 50051)")
    parser.add_argument("--processes", help="processes on the port (default TARIFFS_PROCESSES or 1)")
    parser.add_argument("--check", action="store_true", help="print the settings, run the self-test and exit")
    options = vars(parser.parse_args(arguments))
    return check(**options) if options.pop("check") else serve(**options)


if __name__ == "__main__":
    sys.exit(main())
