"""The Swarm Hive."""
