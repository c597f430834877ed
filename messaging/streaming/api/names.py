"""The names under which the instances of a job are found, from any process of the cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobName:
    """A job in a namespace. Every process uses the same two words, wherever it runs."""

    job: str
    namespace: str = "satbridge"

    def of(self, stage: str, index: int) -> str:
        """Return the actor name of one instance."""
        return f"{self.job}/{stage}/{index}"
