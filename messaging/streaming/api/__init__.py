"""The declaration: streams, stages and the logical graph."""
