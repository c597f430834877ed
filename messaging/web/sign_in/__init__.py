"""The sign-in of operators: password, second factor, rate limits, short sessions.

The limits are in `store/db/sign_in_settings.py`.
"""
