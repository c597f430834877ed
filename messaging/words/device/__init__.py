"""The texts of the gateway itself to devices, in their languages and time zones. Pure."""
