"""The values that travel through the gateway. Imports nothing of ours but `errors`."""
