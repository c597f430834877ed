"""Reading of mails: bytes to text. Pure."""
