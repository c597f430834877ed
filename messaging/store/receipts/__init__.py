"""Receipts, bounces, opt-outs and message parts that networks report after sending."""
