"""Sources and sinks of other systems: files, sockets, Kafka."""
