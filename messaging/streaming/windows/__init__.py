"""Windows and joins over event time and processing time."""
