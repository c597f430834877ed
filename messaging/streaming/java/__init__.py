"""The Java API: sources of the API, its driver and the hosts of Java operators."""
