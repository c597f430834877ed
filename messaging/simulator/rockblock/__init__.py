"""The simulator of RockBLOCK."""
