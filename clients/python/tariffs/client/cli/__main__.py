"""Run the command line; every failure becomes a message and an exit code, never a traceback."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from tariffs.client._deferred import defer
from tariffs.client._interrupts import repeat_lost_interrupts
from tariffs.client.cli.option_names import in_options

if TYPE_CHECKING:
    from tariffs.client.errors import TariffsError

_INTERRUPTED = 130
_OBJECTS_BETWEEN_COLLECTIONS = 500_000
_INTERRUPTED_TEXT = "Interrupted.\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 ok, 1 refused rows, 2 usage, 3 server or missing extra, 4 law or scenario."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # gRPC writes lines of its own to standard error; what a user must know is in the message of the command.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # What is loaded stays to the end of the process: looking through it for garbage at every 700 objects takes a tenth
    # of the time of a short command.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    with _interrupts_that_end(), suppress(ModuleNotFoundError):
        # A quote without a server needs neither, and the two take as long to load as all else.
        for library in ("polars", "grpc"):
            defer(library)
        # Loading a command may take a second and is interruptible here; `run` reports missing modules.
        import_module("tariffs.client.cli.app").load(words)
    repeat_lost_interrupts()
    try:
        code = run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    # What is loaded ends with the process: looking through it for garbage then takes a fifth of a command's time.
    gc.freeze()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    from tariffs.client.errors import TariffsError, extra_missing, from_engine_error

    try:
        app = import_module("tariffs.client.cli.app")
    except ModuleNotFoundError as error:
        return _fail(extra_missing("cli", error.name), arguments)
    try:
        return int(app.run(list(arguments)))
    except TariffsError as error:
        return _fail(error, arguments)
    except KeyboardInterrupt:
        sys.stderr.write(_INTERRUPTED_TEXT)
        return _INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        return _fail(_file_error(error), arguments)
    except Exception as error:
        return _fail(from_engine_error(error), arguments)


@contextmanager
def _interrupts_that_end() -> Iterator[None]:
    """End the process at once on Ctrl-C: an exception within an import would be shown with its traceback."""
    before = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    os.write(sys.stderr.fileno(), _INTERRUPTED_TEXT.encode())
    os._exit(_INTERRUPTED)


def _fail(error: TariffsError, arguments: Sequence[str]) -> int:
    error.fix = in_options(error.fix)
    print(f"tariffs: {error.reason}: {_place(error)}{error.message}", file=sys.stderr)
    if error.fix:
        print(error.fix, file=sys.stderr)
    if error.request_id:
        print(f"request id: {error.request_id}", file=sys.stderr)
    if "--json" in arguments:
        print(json.dumps({"error": error.to_json_dict()}))
    return error.exit_code


def _place(error: TariffsError) -> str:
    if "line" not in error.metadata or f":{error.metadata['line']}:" in error.message:
        return ""
    return f"line {error.metadata['line']}, column {error.metadata.get('column', '1')}: "


def _file_error(error: OSError) -> TariffsError:
    from tariffs.client.errors import TariffsError

    return TariffsError("REQUEST_INVALID", f"{error.filename or 'File'}: {error.strerror or error}.")


if __name__ == "__main__":
    main()
