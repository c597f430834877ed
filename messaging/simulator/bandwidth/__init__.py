"""The simulator of Bandwidth."""
