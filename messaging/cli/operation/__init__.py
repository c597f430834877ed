"""The commands that start, stop, watch and check the gateway."""
