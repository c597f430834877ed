"""The simulator of Iridium DirectIP."""
