"""Codecs of device payloads: bytes to messages and back. Pure."""
