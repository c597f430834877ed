"""The command `satbridge simulate`."""
