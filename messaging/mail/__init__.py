"""Mail: receives it over SMTP, reads what is in it, and sends it through a relay."""
