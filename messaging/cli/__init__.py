"""The command line, `satbridge`."""

from messaging.cli.app import main

__all__ = ["main"]
