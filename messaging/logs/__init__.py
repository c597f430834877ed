"""Log records of the gateway: their details, their formats, and the summing up of repeats."""
