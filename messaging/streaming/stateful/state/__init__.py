"""State stores: in memory, SQLite, PostgreSQL; savepoints."""
