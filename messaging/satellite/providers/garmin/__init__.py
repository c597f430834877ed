"""Garmin Portal Connect."""
