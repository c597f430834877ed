"""The service in one process without Ray, for small machines."""
