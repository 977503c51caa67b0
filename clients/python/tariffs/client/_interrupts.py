"""Keep an interrupt (Ctrl-C) that Python would discard."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_RETRY_SECONDS = 0.01


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
        # Not at once: the hook itself is a place where exceptions are discarded.
        main_thread = threading.main_thread().ident
        timer = threading.Timer(_RETRY_SECONDS, signal.pthread_kill, (main_thread, signal.SIGINT))
        timer.daemon = True
        timer.start()

    sys.unraisablehook = hook
