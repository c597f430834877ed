"""The settings that only the store and its guards need."""

from pydantic import Field

from messaging.config.env import Section
from messaging.config.settings import Count, Positive


class StoreLimits(Section, prefix="SATBRIDGE_STORE_"):
    """How long the store may take, and how much of one message it takes. All have working defaults."""

    busy_seconds: Positive = 5
    connect_seconds: Count = 5
    statement_seconds: Positive = 15
    max_text_bytes: int = Field(default=1_048_576, ge=1024)
    max_raw_bytes: int = Field(default=1_048_576, ge=1024)
