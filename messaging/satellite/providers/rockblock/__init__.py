"""RockBLOCK."""
