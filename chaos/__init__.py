"""The fault harness: breaks a running gateway from outside, under load, and counts the fate of every message."""
