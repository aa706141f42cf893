"""Fixtures of the twin's tests, for tests that use the platform, too."""

from twin.tests.aws.conftest import clients
from twin.tests.gcp.conftest import google, server, shared, shared_data

__all__ = ["clients", "google", "server", "shared", "shared_data"]
