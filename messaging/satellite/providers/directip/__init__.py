"""Iridium DirectIP."""
