"""The sign-in of operators: password, second factor, rate limits, short sessions."""
