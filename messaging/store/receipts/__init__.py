"""Receipts, submitted parts and opt-outs that networks report after sending."""
