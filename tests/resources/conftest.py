"""The clock, cache folder and Cloud objects of the cloud room's tests."""

from tests.cloud.conftest import cache, connect, time

__all__ = ["cache", "connect", "time"]
