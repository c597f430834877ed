"""The Django settings of sign-ins to the admin: limits, sessions, passwords, second factor."""

from typing import Any, Final

RATE_LIMITS: Final = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key"}
"""How many tries an address has, and how many wrong ones an address and a name."""
IDLE_SECONDS: Final = 3600
"""A session of the admin ends so long after its last request."""
PASSWORDS: Final = "django.contrib.auth.password_validation."


def sign_in_values() -> dict[str, Any]:
    """Return the settings of sign-ins: names and passwords, no sign-up, no mails, a code as the second factor."""
    return {
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "admin:index",
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "ACCOUNT_ADAPTER": "messaging.web.sign_in.adapter.SignInAdapter",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_LOGOUT_REDIRECT_URL": "account_login",
        "ACCOUNT_RATE_LIMITS": RATE_LIMITS,
        "ACCOUNT_REAUTHENTICATION_METHODS": ("password", "mfa"),
        "MFA_SUPPORTED_TYPES": ["totp", "recovery_codes"],
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,
        "MFA_TOTP_ISSUER": "Satbridge",
        "SESSION_COOKIE_AGE": IDLE_SECONDS,
        # The limits of sign-ins hold for all processes and nodes together.
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "users_cache",
            }
        },
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": PASSWORDS + "MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
            {"NAME": PASSWORDS + "CommonPasswordValidator"},
            {"NAME": PASSWORDS + "UserAttributeSimilarityValidator"},
        ],
    }
