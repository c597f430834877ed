"""The details of a log record: ids and figures beside its text."""

from typing import Any


def details(*, kind: str = "", message_id: str = "", **fields: object) -> dict[str, Any]:
    """Return the `extra` of a log call: `log.info("sent", extra=details(message_id=id, account="hive"))`.

    Every format prints the fields that have a value. Fields never hold a body or a secret.

    With a `kind`, only the first record of that kind in a minute is printed, and then one line with the number of the
    others. Use it for lines that a peer can cause as often as it likes.
    """
    values = {name: value for name, value in fields.items() if value not in (None, "")}
    return {"kind": kind, "message_id": message_id, "fields": values}
