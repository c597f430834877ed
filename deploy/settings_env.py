"""Writes base/settings.env and secrets.env.example from the code's settings: `python deploy/settings_env.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr

from messaging.config.env import Section
from messaging.gateway import sections

DEPLOY = Path(__file__).parent
SETTINGS, SECRETS = DEPLOY / "base" / "settings.env", DEPLOY / "secrets.env.example"

# Where it listens and keeps its files stands in the image; the head's pod says which cluster to join, and there is one
# web server only there.
FIXED = {
    "SATBRIDGE_STATE_DIR",
    "SATBRIDGE_SMTP_LISTEN",
    "SATBRIDGE_HTTP",
    "SATBRIDGE_HTTP_LISTEN",
    "SATBRIDGE_RAY_ADDRESS",
    "SATBRIDGE_RUNTIME",
}
# What differs from the code's own default in every cluster.
GIVEN = {"SATBRIDGE_MIGRATE": "False", "SATBRIDGE_UNREADY_SECONDS": "15"}
# `deploy/new-secrets.sh` fills these in.
MADE = {
    "SATBRIDGE_DATABASE_URL": "@DATABASE_URL@",
    "SATBRIDGE_SECRET_KEY": "@RANDOM@",
    "SATBRIDGE_METRICS_TOKEN": "@RANDOM@",
}

SETTINGS_HEAD = """\
# Every setting that is no secret; deploy/settings_env.py writes this file. What has a # has its default, and
# docs/settings.md says what each means. Set yours in the overlay's settings.env, which goes over these.
"""
SECRETS_HEAD = """\
# Every secret setting; deploy/settings_env.py writes this file, and deploy/new-secrets.sh makes an overlay's
# secrets.env of it, which git ignores.
"""


def settings_env() -> str:
    """Return the settings that are no secrets, one on each line, by group."""
    return SETTINGS_HEAD + "".join(_groups(secret=False))


def secrets_env() -> str:
    """Return the secret ones."""
    return SECRETS_HEAD + "".join(_groups(secret=True))


def _groups(*, secret: bool) -> Iterator[str]:
    for section in sections():
        if lines := list(_lines(section, secret)):
            yield "\n".join(["", f"# {section.__name__}", *lines, ""])


def _lines(section: type[Section], secret: bool) -> Iterator[str]:
    for field, variable in section.variables().items():
        info = section.model_fields[field]
        if variable in FIXED or _holds_secret(info.annotation) != secret:
            continue
        if given := GIVEN.get(variable) or MADE.get(variable):
            yield f"{variable}={given}"
        else:
            yield f"#{variable}={_default(info, secret)}"


def _holds_secret(kind: Any) -> bool:
    return kind is SecretStr or any(_holds_secret(one) for one in get_args(kind))


def _default(info: Any, secret: bool) -> str:
    default = None if secret or info.is_required() else info.get_default()
    return "" if default is None else str(default)


if __name__ == "__main__":
    SETTINGS.write_text(settings_env())
    SECRETS.write_text(secrets_env())
