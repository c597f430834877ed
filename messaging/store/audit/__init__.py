"""The audit: an append-only record of each change by an operator, in the transaction of the change."""
