"""Errors in the answers of SPOT's feeds. Pure."""

import json
import re
from typing import Any, Final

from messaging.errors import Unavailable

NO_MESSAGES: Final = "E-0195"
_CODE: Final = re.compile(r"E-[0-9]{1,6}")


class FeedError(Unavailable):
    """The feed answers with an error: the feed is unknown, or its password is wrong."""


def check_errors(errors: Any) -> None:
    """Return when the error says that the feed has no messages. Raises FeedError for any other error."""
    code = _CODE.search(json.dumps(errors))
    if not code or code[0] != NO_MESSAGES:
        raise FeedError(f"the feed cannot be had ({code[0] if code else 'no code'})")
