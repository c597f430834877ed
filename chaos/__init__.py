"""The fault harness: breaks a running gateway from outside, under load, and counts what became of every message."""
