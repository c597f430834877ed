"""Finds out who wrote a mail: SPF, DKIM, DMARC, ARC, results of trusted relays; signs outgoing mail."""
