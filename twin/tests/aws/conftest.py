"""API servers for the tests of the AWS twin."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from twin.aws import configuration
from twin.aws.context import AwsContext
from twin.tests.aws.api_servers import Clients, opened


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """boto3 clients of an API server of the module's own."""
    with opened(tmp_path_factory.mktemp("home")) as opened_clients:
        yield opened_clients


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for instances that lasts one test."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    return tmp_path


_MOTO = ("sts", "ec2", "iam", "kms", "logs", "s3", "eks", "ssm", "autoscaling")


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The URL of a moto server of this test session."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    patch.undo()


def configured(url: str, **more: object) -> AwsContext:
    """A context against this URL."""
    config = {"region": "us-west-2", "accessKey": "key", "secretKey": "secret", "maxRetries": 0}
    endpoints = [dict.fromkeys(_MOTO, url)]
    return configuration.configure({**config, "endpoints": endpoints, **more})


@pytest.fixture(scope="session")
def aws(moto_url: str) -> AwsContext:
    """A provider with one default tag."""
    return configured(moto_url, defaultTags={"tags": {"owner": "platform"}})
