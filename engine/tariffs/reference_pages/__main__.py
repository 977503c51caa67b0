"""Write the reference pages of the law: `python -m tariffs.reference_pages docs/law`."""

from __future__ import annotations

import sys
from pathlib import Path

from tariffs.reference_pages.pages import write

if __name__ == "__main__":
    write(Path(sys.argv[1]))
