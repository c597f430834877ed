"""The command line, `satbridge`: what people and scripts do with the gateway."""

from messaging.cli.app import main

__all__ = ["main"]
