"""The router: accepts messages in one transaction per batch."""
