"""The control plane's certificates."""

from __future__ import annotations

import base64
import datetime as dt
import json
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from twin.kubernetes import certificates
from twin.kubernetes.certificates import Pki

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return certificates.ensure(tmp_path_factory.mktemp("instance") / "pki", now=NOW)


def load(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def test_the_api_server_is_trusted_under_every_name_that_a_client_uses(pki: Pki) -> None:
    certificate = load(pki.certificate("kube-apiserver"))
    certificate.verify_directly_issued_by(load(pki.certificate("ca")))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "kubernetes.default.svc"} <= set(names.get_values_for_type(x509.DNSName))
    assert "127.0.0.1" in {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in usages


def test_the_administrator_is_in_the_group_that_may_everything_and_serves_nothing(pki: Pki) -> None:
    certificate = load(pki.certificate("admin"))
    groups = {
        attribute.value for attribute in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    }
    assert groups == {"system:masters"}
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_scheduler_and_the_controllers_are_not_administrators(pki: Pki) -> None:
    for name in ("kube-scheduler", "kube-controller-manager"):
        subject = load(pki.certificate(name)).subject
        assert not subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME), (
            "they have only the permissions of their roles, as in a managed cluster"
        )


def test_the_front_proxy_has_an_authority_of_its_own(pki: Pki) -> None:
    certificate = load(pki.certificate("front-proxy"))
    certificate.verify_directly_issued_by(load(pki.certificate("front-proxy-ca")))
    assert load(pki.certificate("ca")).subject != certificate.issuer, (
        "the holder of a client certificate of the cluster could claim to be any user"
    )


def test_private_keys_are_for_their_owner_alone(pki: Pki) -> None:
    keys = list(pki.folder.glob("*.key"))
    assert len(keys) == len(certificates.SUBJECTS) + len(certificates.AUTHORITIES) + 1
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_good_certificates_are_kept(pki: Pki) -> None:
    before = pki.certificate("ca").read_bytes()
    certificates.ensure(pki.folder, now=NOW + dt.timedelta(days=1000))
    assert pki.certificate("ca").read_bytes() == before, "a new authority would break every kubeconfig"


@pytest.mark.parametrize("harm", ["missing", "damaged", "expired"])
def test_certificates_that_cannot_serve_are_made_anew(tmp_path: Path, harm: str) -> None:
    now = NOW
    pki = certificates.ensure(tmp_path / "pki", now=now)
    before = pki.certificate("ca").read_bytes()
    if harm == "missing":
        pki.key("kwok").unlink()
    elif harm == "damaged":
        pki.certificate("etcd").write_text("-----BEGIN CERT")
    else:
        now += dt.timedelta(days=365 * certificates.YEARS - 10)
    certificates.ensure(tmp_path / "pki", now=now)
    assert pki.certificate("ca").read_bytes() != before
    load(pki.certificate("kwok")).verify_directly_issued_by(load(pki.certificate("ca")))


def test_leftovers_of_a_killed_run_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "pki.new").mkdir()
    (tmp_path / "pki.new" / "ca.crt").write_text("half")
    (tmp_path / "pki").mkdir()
    pki = certificates.ensure(tmp_path / "pki", now=NOW)
    assert load(pki.certificate("ca"))
    assert not (tmp_path / "pki.new").exists()


def test_a_kubeconfig_holds_all_that_it_needs_and_is_private(pki: Pki, tmp_path: Path) -> None:
    target = certificates.write_kubeconfig(pki, "admin", "https://127.0.0.1:6443", tmp_path / "a" / "config")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    config = json.loads(target.read_text())
    assert config["current-context"] == config["contexts"][0]["name"]
    cluster = config["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(cluster["certificate-authority-data"]) == pki.certificate("ca").read_bytes()
    user = config["users"][0]["user"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
