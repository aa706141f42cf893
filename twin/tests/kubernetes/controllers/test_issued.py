"""Secrets of cert-manager's Certificates."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from cryptography import x509

from twin.kubernetes import certificates
from twin.kubernetes.controllers.issued import Issued
from twin.tests.kubernetes.fakes import FakeKube

WHERE = "/apis/cert-manager.io/v1/certificates"
SECRET = "/api/v1/namespaces/gateway/secrets/front"


def kube(**metadata: Any) -> Any:
    fake = FakeKube()
    fake.objects[WHERE] = {
        "items": [
            {
                "metadata": {"name": "front", "namespace": "gateway", **metadata},
                "spec": {"secretName": "front", "dnsNames": ["models.acme.example"]},
            }
        ]
    }
    return fake


def step(fake: Any, folder: Path) -> None:
    Issued(fake, certificates.ensure(folder / "pki"), folder / "certificates").step()


def test_a_certificate_gets_a_secret_for_its_names_once(tmp_path: Path) -> None:
    fake = kube()
    step(fake, tmp_path)
    secret = fake.objects[SECRET]
    assert secret["type"] == "kubernetes.io/tls"
    loaded = x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "models.acme.example" in names.get_values_for_type(x509.DNSName)
    before = dict(secret["data"])
    step(fake, tmp_path)
    assert fake.objects[SECRET]["data"] == before


def test_a_certificate_in_deletion_gets_none_and_without_the_kind_nothing_happens(tmp_path: Path) -> None:
    fake = kube(deletionTimestamp="2026-11-28T00:00:00Z")
    step(fake, tmp_path)
    assert SECRET not in fake.objects
    step(FakeKube(), tmp_path)
