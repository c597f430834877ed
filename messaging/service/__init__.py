"""Start, supervision and shutdown of the whole service, on one machine and on a cluster."""
