"""The queue: the only writer of delivery rows."""
