"""The whole gateway on one machine, with simulated networks, and a live view of what moves."""

from messaging.demo.run import run_demo

__all__ = ["run_demo"]
