"""`python -m messaging` is `satbridge`."""

from messaging.cli import main

if __name__ == "__main__":
    main()
