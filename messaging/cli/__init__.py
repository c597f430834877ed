"""The command line, `satbridge`: what people and scripts do with the gateway."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run one command and exit."""
    if sys.argv[1:2] == ["probe"]:
        # Asked every few seconds wherever the gateway runs; everything else takes a second to load.
        from messaging.cli.probe import main as entry
    else:
        try:
            from messaging.cli.app import main as entry
        except KeyboardInterrupt:
            sys.exit("satbridge: stopped at once, as asked")
    entry()
