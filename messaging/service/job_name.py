"""The name of the gateway's job on Ray."""

from messaging.streaming.api import JobName

JOB = JobName("gateway")
