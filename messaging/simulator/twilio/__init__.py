"""The simulator of Twilio."""
