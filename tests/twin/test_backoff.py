"""Waits for the cloud."""

import logging

import pytest

from tests.bench_flat import WAITED
from twin import provider_interface
from twin.core.backoff import logged_waits


def test_a_provider_logs_how_long_the_cloud_took(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with logged_waits("create", "urn:pulumi:dev::p::aws:s3/bucket:Bucket::b"):
        provider_interface.pause(0.01)
        provider_interface.pause(0.02)
    match = WAITED.search(caplog.text)
    assert match, "the bench reads this line"
    assert match["seconds"] == "0.03"
    assert match["urn"].endswith("::b")


def test_a_call_that_did_not_wait_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    provider_interface.pause(0.01)
    with logged_waits("delete", "urn:pulumi:dev::p::aws:s3/bucket:Bucket::b"):
        pass
    assert not caplog.text, "an earlier wait of the same thread counts for its own call"
