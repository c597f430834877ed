"""The parts that all senders share: their contract, HTTP exchanges, backoff, splitting, user operators."""
