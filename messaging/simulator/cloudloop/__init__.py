"""The simulator of Cloudloop."""
