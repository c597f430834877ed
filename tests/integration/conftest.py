"""For every integration test: only the queue may write deliveries."""

from tests.support.store.write_guard import write_guard as write_guard
