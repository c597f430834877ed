"""The table of Django's cache: the counts of tries to sign in, shared by all processes."""

from typing import ClassVar

from django.db import models


class CacheEntry(models.Model):
    """An entry of the cache, as `django.core.cache.backends.db` reads and writes it."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        """The name of the table."""

        db_table = "users_cache"
        ordering: ClassVar = ["cache_key"]

    def __str__(self) -> str:
        return str(self.cache_key)
