"""Derives the Django settings from the settings of the gateway."""

import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dj_database_url
from django.utils.functional import SimpleLazyObject

import messaging
from messaging.config.settings import Settings, StoreLimits
from messaging.errors import ConfigurationError
from messaging.store.db.sign_in_settings import sign_in_values

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
SECRET_KEY_FILE = "secret-key"  # noqa: S105, the name of a file
WAL_BYTES_KEPT = 64 * 1024 * 1024

STORE_APPS = ("messaging.store",)
"""The apps of a process without web pages or migrations: a third less memory than all."""

APPS = (
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    *STORE_APPS,
)
MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "messaging.store.audit.middleware.ActorMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "messaging.web.sign_in.middleware.SessionLimits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
CONTEXT = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)
TEMPLATES = Path(messaging.__file__).parent / "web" / "templates"
HSTS_SECONDS = 365 * 24 * 3600


def constant_values(apps: Sequence[str] = APPS) -> dict[str, Any]:
    """Return the Django settings that no setting of the gateway changes."""
    return {
        "DEBUG": False,
        "INSTALLED_APPS": list(apps),
        "MIDDLEWARE": list(MIDDLEWARE),
        "ROOT_URLCONF": "messaging.web.urls",
        # Named like the URLs, and imported when a device is entered: the store knows no provider.
        "SATBRIDGE_NETWORKS": "messaging.gateway.device_networks",
        "TEMPLATES": [_templates()],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "STATIC_URL": "/static/",
        # The gateway configures logging itself; Django would otherwise add handlers and mail to admins.
        "LOGGING_CONFIG": None,
        **sign_in_values(),
    }


def values_of(settings: Settings) -> dict[str, Any]:
    """Return the Django settings that depend on the gateway's, the database among them.

    Raises ConfigurationError when the URL of the database is wrong. The secret key is read, or created, when Django
    first uses it: only the web pages need one.
    """
    return {
        "SECRET_KEY": SimpleLazyObject(lambda: secret_key(settings)),
        "DATABASES": {"default": database(settings)},
        "SATBRIDGE": settings,
        **_addresses(settings),
    }


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [TEMPLATES],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": list(CONTEXT)},
    }


def _addresses(settings: Settings) -> dict[str, Any]:
    public = urlsplit(settings.public_url)
    if public.scheme not in ("http", "https") or not public.hostname:
        raise ConfigurationError("SATBRIDGE_PUBLIC_URL: must look like https://gateway.example.org")
    secure = public.scheme == "https"
    host = f"[{public.hostname}]" if ":" in public.hostname else public.hostname
    hosts = {host, *LOCAL_NAMES}
    listen = settings.admin_address
    if listen is not None and listen.host not in ("0.0.0.0", "::"):
        hosts.add(f"[{listen.host}]" if ":" in listen.host else listen.host)
    return {
        "ALLOWED_HOSTS": sorted(hosts),
        "CSRF_TRUSTED_ORIGINS": [f"{public.scheme}://{public.netloc.rpartition('@')[2]}"],
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SECURE_HSTS_SECONDS": HSTS_SECONDS if secure else 0,
        # A proxy ends TLS; without this header Django would take its own pages for plain HTTP.
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if secure else None,
    }


def database(settings: Settings) -> dict[str, Any]:
    """Return Django's description of the store. Raises ConfigurationError, which never quotes the URL."""
    limits = settings.store_limits
    try:
        # A connection ends with the web request that opened it; actors have no requests and keep theirs.
        found: dict[str, Any] = dict(
            dj_database_url.parse(settings.database_url.get_secret_value(), conn_max_age=0)
        )
    except ValueError:
        raise ConfigurationError(
            "SATBRIDGE_DATABASE_URL: must look like sqlite:///… or postgresql://…"
        ) from None
    ours = _options(str(found["ENGINE"]), limits)
    found["OPTIONS"] = {**ours, **found.get("OPTIONS", {})}
    if found["ENGINE"] == SQLITE and found["NAME"] in ("", ":memory:"):
        raise ConfigurationError("SATBRIDGE_DATABASE_URL: must name a file, such as sqlite:///x.db")
    return found


def read_only(description: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a store that is only read. SQLite then opens a file that cannot be written too."""
    if description["ENGINE"] != SQLITE:
        return description
    path = str(description["NAME"])
    # Without a log beside it the file has no writer: only then SQLite may leave out its locks, which are files.
    mode = "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"
    options = {
        **description["OPTIONS"],
        "transaction_mode": "DEFERRED",
        "init_command": "PRAGMA query_only=ON",
    }
    return {**description, "NAME": f"file:{quote(path)}?{mode}", "OPTIONS": options}


def _options(engine: str, limits: StoreLimits) -> dict[str, Any]:
    if engine == SQLITE:
        return _sqlite_options(limits)
    if engine == POSTGRESQL:
        return _postgresql_options(limits)
    raise ConfigurationError("SATBRIDGE_DATABASE_URL: only SQLite and PostgreSQL are supported")


def _sqlite_options(limits: StoreLimits) -> dict[str, Any]:
    # FULL in WAL mode: a commit is on disk when it returns (https://sqlite.org/pragma.html#pragma_synchronous).
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"journal_size_limit={WAL_BYTES_KEPT}",
        "foreign_keys=ON",
    )
    return {
        "timeout": limits.busy_seconds,
        "transaction_mode": "IMMEDIATE",
        "init_command": ";".join(f"PRAGMA {pragma}" for pragma in pragmas),
    }


def _postgresql_options(limits: StoreLimits) -> dict[str, Any]:
    statement_ms = int(limits.statement_seconds * 1000)
    lock_ms = int(limits.busy_seconds * 1000)
    return {
        "connect_timeout": limits.connect_seconds,
        "options": f"-c statement_timeout={statement_ms} -c lock_timeout={lock_ms}"
        f" -c idle_in_transaction_session_timeout={2 * statement_ms}",
        # Detects a dead server within about this time, not after hours.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": statement_ms,
    }


def secret_key(settings: Settings) -> str:
    """Return the key that signs sessions: the setting, else the key in the state folder, created at first use.

    Raises ConfigurationError when the file can be neither read nor created. Nodes that share pages need the setting.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.state_dir / SECRET_KEY_FILE
    try:
        if not path.exists():
            _make_secret_key(path)
        return path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"SATBRIDGE_STATE_DIR: cannot keep a secret key in {path}: {error.strerror}"
        ) from error


def _make_secret_key(path: Path) -> None:
    # Written under another name and linked: of two processes one wins, and none reads half a key.
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    try:
        with os.fdopen(number, "w") as file:
            file.write(secrets.token_urlsafe(48))
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
