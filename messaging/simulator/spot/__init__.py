"""The simulator of SPOT."""
