"""One API server for all of the data side's services: to make one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from twin.tests.aws.api_servers import Clients, opened


@pytest.fixture(scope="package")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """boto3 clients of an API server that the modules of this folder share: each leaves little behind."""
    with opened(tmp_path_factory.mktemp("home")) as opened_clients:
        yield opened_clients


@pytest.fixture(scope="package")
def key(clients: Clients) -> str:
    """The arn of a key: moto makes an RSA key with each, which takes its time."""
    return clients("kms").create_key()["KeyMetadata"]["Arn"]
