"""The runtime on Ray: clusters, launching a job, and clients of a running job."""
