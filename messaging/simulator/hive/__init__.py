"""The simulator of the Swarm Hive."""
