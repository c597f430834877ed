"""SPOT."""
