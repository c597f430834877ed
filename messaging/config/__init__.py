"""Settings: the only readers of the environment."""
