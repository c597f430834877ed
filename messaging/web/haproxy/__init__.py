"""Ray Serve behind HAProxy, with a configuration of ours in the place of Ray's."""
