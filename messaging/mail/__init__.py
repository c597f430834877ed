"""Mail: receives it over SMTP, parses and classifies it, and sends it through a relay."""
