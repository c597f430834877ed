"""Operation of a running job on Ray: status, reconciliation, metrics, draining of nodes."""
