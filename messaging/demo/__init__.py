"""The whole gateway on one machine, with simulated networks, and a live view of what moves."""
