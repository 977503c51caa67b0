"""Keep an interrupt (Ctrl-C) that Python would discard."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_RETRY_SECONDS = 0.05


def repeat_lost_interrupts() -> None:
    """Send an interrupt again if it was raised where Python discards exceptions.

    Finalizers and weakref callbacks run at any time, those of the import system with every import. A KeyboardInterrupt
    raised inside one is only printed, and the program would go on to its end.
    """
    previous = sys.unraisablehook

    def hook(unraisable: UnraisableHookArgs, /) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            previous(unraisable)
            return
        # Not before the hook has returned: it is a place where exceptions are discarded, and to start a thread may take
        # long.
        returns = threading.Event()
        threading.Thread(target=_interrupt_after, args=(returns,), daemon=True).start()
        returns.set()

    sys.unraisablehook = hook


def _interrupt_after(event: threading.Event) -> None:
    """Interrupt the main thread some time after an event."""
    event.wait()
    time.sleep(_RETRY_SECONDS)
    main_thread = threading.main_thread().ident
    if main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGINT)
