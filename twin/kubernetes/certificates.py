"""The control plane's certificates: one authority an instance, and a certificate for each who speaks.

All are made at once into a folder that then takes its place by one rename, so a kill leaves either none or
all. They are valid for ten years and made again, authority included, when one of them is missing, damaged
or has less than a month left.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from twin.private_files import write_private

YEARS: Final = 10
RENEW_BEFORE: Final = dt.timedelta(days=30)
SERVER_NAMES: Final = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Subject:
    """Who a certificate is for. Kubernetes reads the user from the common name, groups from organizations."""

    file: str
    common_name: str
    groups: tuple[str, ...] = ()
    server: bool = False
    """Also serves on loopback under this certificate."""
    authority: str = "ca"
    names: tuple[str, ...] = SERVER_NAMES
    """The names that it serves under."""


SUBJECTS: Final = (
    Subject("etcd", "etcd", server=True),
    Subject("kube-apiserver", "kube-apiserver", server=True),
    Subject("kube-controller-manager", "system:kube-controller-manager", server=True),
    Subject("kube-scheduler", "system:kube-scheduler", server=True),
    # kwok writes Nodes, Pods, leases and events as all the kubelets together would.
    Subject("kwok", "twin:kwok", ("system:masters",), server=True),
    # Google's host names, for clients that take no other (twin/gcp/hosts.py).
    Subject("google", "*.googleapis.com", server=True, names=("*.googleapis.com",)),
    Subject("admin", "twin:admin", ("system:masters",)),
    Subject("front-proxy", "front-proxy-client", authority="front-proxy-ca"),
)
AUTHORITIES: Final = ("ca", "front-proxy-ca")


@dataclass(frozen=True)
class Pki:
    """The folder with all of it, PEM, keys with mode 0600."""

    folder: Path

    def certificate(self, name: str) -> Path:
        """Certificate of a subject or an authority (`ca`, `front-proxy-ca`)."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Its private key."""
        return self.folder / f"{name}.key"

    @property
    def service_account_key(self) -> Path:
        """Signs service account tokens (RSA, as on EKS: RS256 is what OIDC relying parties know)."""
        return self.folder / "service-account.key"

    @property
    def service_account_public_key(self) -> Path:
        """Verifies them."""
        return self.folder / "service-account.pub"

    def authority_base64(self) -> str:
        """The cluster's authority as kubeconfigs and EKS write it: base64 of the PEM."""
        return _encoded(self.certificate("ca"))


def ensure(folder: Path, *, now: dt.datetime | None = None) -> Pki:
    """The instance's certificates, made where they are missing, damaged or about to expire."""
    now = now or dt.datetime.now(dt.UTC)
    pki = Pki(folder)
    if _good(pki, now):
        return pki
    draft = folder.with_name(folder.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    _make_all(Pki(draft), now)
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)
    return pki


def secret(pki: Pki, namespace: str, name: str, names: Sequence[str], folder: Path) -> dict[str, Any]:
    """Issue a certificate for a server into a folder; return a Secret with it, as cert-manager writes one."""
    files = folder / "tls.crt", folder / "tls.key"
    issue(pki, names, *files)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": namespace},
        "data": {**{file.name: _encoded(file) for file in files}, "ca.crt": pki.authority_base64()},
    }


def issue(pki: Pki, names: Sequence[str], certificate: Path, key: Path) -> None:
    """Write a certificate of the authority `ca` for a server with these names, and its key."""
    authority = x509.load_pem_x509_certificate(pki.certificate("ca").read_bytes())
    authority_key = serialization.load_pem_private_key(pki.key("ca").read_bytes(), None)
    assert isinstance(authority_key, Key)  # noqa: S101 - as `_make_all` creates it
    server_key = ec.generate_private_key(ec.SECP256R1())
    subject = Subject("", "ai-platform twin server", server=True, names=tuple(names))
    leaf = _leaf(subject, server_key, authority, authority_key, dt.datetime.now(dt.UTC))
    write_private(key, _private_pem(server_key))
    write_private(certificate, leaf.public_bytes(serialization.Encoding.PEM).decode())


def write_kubeconfig(pki: Pki, subject: str, server: str, target: Path, *, name: str = "twin") -> Path:
    """A kubeconfig with the subject's certificate inside, so that it can be moved and copied; mode 0600."""
    user = {
        "client-certificate-data": _encoded(pki.certificate(subject)),
        "client-key-data": _encoded(pki.key(subject)),
    }
    cluster = {"server": server, "certificate-authority-data": pki.authority_base64()}
    return write_context(target, name, cluster, subject, user)


def write_context(
    target: Path,
    name: str,
    cluster: Mapping[str, str],
    subject: str,
    user: Mapping[str, str],
    **context: str,
) -> Path:
    """A kubeconfig with one context; mode 0600. name, subject: of its cluster and of its user. context:
    further keys, such as `namespace`."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": subject, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": subject, **context}}],
        "current-context": name,
    }
    # JSON is YAML: every reader of a kubeconfig takes it.
    return write_private(target, json.dumps(document, indent=2) + "\n")


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _good(pki: Pki, now: dt.datetime) -> bool:
    try:
        for name in (*AUTHORITIES, *(subject.file for subject in SUBJECTS)):
            certificate = x509.load_pem_x509_certificate(pki.certificate(name).read_bytes())
            if certificate.not_valid_after_utc - now < RENEW_BEFORE or not pki.key(name).is_file():
                return False
        return pki.service_account_key.is_file() and pki.service_account_public_key.is_file()
    except (OSError, ValueError):
        return False


def _make_all(pki: Pki, now: dt.datetime) -> None:
    keys: dict[str, tuple[x509.Certificate, Key]] = {}
    for name in AUTHORITIES:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"ai-platform twin {name}", ())
        certificate = (
            _builder(subject, subject, key, now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        keys[name] = (certificate, key)
        _write(pki, name, certificate, key)
    for subject_of in SUBJECTS:
        authority, authority_key = keys[subject_of.authority]
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _leaf(subject_of, key, authority, authority_key, now)
        _write(pki, subject_of.file, certificate, key)
    _write_service_account_keys(pki)


def _leaf(
    subject: Subject, key: Key, authority: x509.Certificate, authority_key: Key, now: dt.datetime
) -> x509.Certificate:
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(_name(subject.common_name, subject.groups), authority.subject, key, now)
    if subject.server:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        loopback = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
        names: Sequence[x509.GeneralName] = [
            *(x509.DNSName(name) for name in subject.names),
            *(x509.IPAddress(address) for address in loopback),
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, now: dt.datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A day back, for a machine whose clock is set after the twin was made.
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str, groups: Sequence[str]) -> x509.Name:
    return x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(pki: Pki, name: str, certificate: x509.Certificate, key: Key) -> None:
    pki.certificate(name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    write_private(pki.key(name), _private_pem(key))


def _write_service_account_keys(pki: Pki) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write_private(pki.service_account_key, _private_pem(key))
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pki.service_account_public_key.write_bytes(public)


def _private_pem(key: Key | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
