"""`python -m chaos.soak`: runs the soak."""

import sys

from messaging.store.db.connection import set_up_django


def main() -> int:
    """Set Django up, since the harness imports models, and run the command."""
    set_up_django()
    from chaos.soak.command import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
