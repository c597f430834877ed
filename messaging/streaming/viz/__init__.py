"""Drawings of a graph as text and DOT, and of a running job."""
