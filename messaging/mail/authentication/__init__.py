"""Finds out who wrote a mail: SPF, DKIM, DMARC, ARC, and what trusted relays found; signs outgoing mail."""
