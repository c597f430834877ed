"""The workers, channels and outputs that run a stage, and the runtime in one process. Imports no Ray."""
