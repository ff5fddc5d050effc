"""Authkeys: `uv run main.py` serves the console, `uv run main.py --help` says what else there is."""

import gc
import sys

from cli.healthcheck import healthcheck_only, is_quick

if __name__ == "__main__" and is_quick(sys.argv[1:]):
    healthcheck_only()  # ends the process before anything else is loaded

# Garbage is collected less often: at first for a faster start, as nothing that is imported is garbage; later because with
# a hundred thousand staged changes each collection stops every page for long.
gc.set_threshold(50_000, 20, 50)

from cli.commands import commands

if __name__ == "__main__":
    commands()
