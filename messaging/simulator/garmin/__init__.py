"""The simulator of Garmin Portal Connect."""
