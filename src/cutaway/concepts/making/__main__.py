"""`python -m cutaway.concepts.making RAW_FOLDER NEW_FOLDER`: reads the raw tables, writes the library beside and renames it."""

from __future__ import annotations

import sys
from pathlib import Path

from cutaway.concepts.making.library import COMMAND, make

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"given {len(sys.argv) - 1} arguments; expected two; try: {COMMAND}")
    make(Path(sys.argv[1]), Path(sys.argv[2]))
