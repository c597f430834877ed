"""The checks in front of the web application: methods, hosts, sizes and times of requests."""
