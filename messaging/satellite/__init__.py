"""Satellite messaging devices: receive from their networks, send to them."""
