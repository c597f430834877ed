"""Figures of the gateway against named peers, measured in the same run on the same machine."""
