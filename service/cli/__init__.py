"""The command line. Every mistake is one clear sentence and a non-zero exit, never a traceback."""

from __future__ import annotations

from service.cli.main import main

__all__ = ["main"]
