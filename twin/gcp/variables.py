"""What a program is answered to find the twin instead of Google Cloud."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final

from twin.gcp.apis import APIS
from twin.instances import Instance

_SYSTEM: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def variables(instance: Instance) -> dict[str, str]:
    """The variables of Google's clients, of gcloud and of the providers."""
    from twin.gcp.credentials import deployer

    token = deployer(instance).access_token
    endpoints: dict[str, str] = {}
    for api in APIS.values():
        url = f"{instance.url('cloud')}/{api.host}/{api.path}"
        endpoints[api.variable] = url
        # gcloud wants the version of the old APIs (`compute/v1/`) and adds that of the others itself.
        old = api.path.count("/") > 1 and api.name != "sqladmin"
        root = url if old else url.removesuffix(api.path)
        if not api.host_of:
            name = "SQL" if api.name == "sqladmin" else api.name.upper()
            endpoints[f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"] = root
    return {
        **endpoints,
        "GOOGLE_OAUTH_ACCESS_TOKEN": token,
        "CLOUDSDK_AUTH_ACCESS_TOKEN": token,
        "GOOGLE_PROJECT": instance.account,
        "GOOGLE_CLOUD_PROJECT": instance.account,
        "CLOUDSDK_CORE_PROJECT": instance.account,
        "GOOGLE_REGION": instance.region,
        "CLOUDSDK_COMPUTE_REGION": instance.region,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "USE_GKE_GCLOUD_AUTH_PLUGIN": "True",
        # All clients trust the certificate of a cluster's DNS endpoint: here, those with this variable.
        "SSL_CERT_FILE": str(authorities(instance)),
    }


def nowhere(instance: Instance) -> dict[str, str]:
    """What keeps the clients from the user's own login and a machine's account."""
    return {
        "CLOUDSDK_CONFIG": str(instance.folder / "gcloud"),
        "GCE_METADATA_HOST": "127.0.0.1:1",
        "NO_GCE_CHECK": "true",
    }


def authorities(instance: Instance) -> Path:
    """The file with all authorities that programs trust: the system's and the instance's."""
    return instance.folder / "kubernetes" / "authorities.pem"


def prepare(instance: Instance) -> None:
    """Write the token and the authorities where the variables say. Repeatable."""
    from twin.gcp.credentials import deployer
    from twin.kubernetes import certificates

    deployer(instance)
    pki = certificates.ensure(instance.folder / "kubernetes" / "pki")
    certificate = pki.certificate("ca").read_bytes()
    system = _system()
    whole = certificate + (system.read_bytes() if system else b"")
    target = authorities(instance)
    if not target.exists() or target.read_bytes() != whole:
        draft = target.with_suffix(".new")
        draft.write_bytes(whole)
        draft.replace(target)


def _system() -> Path | None:
    """The system's own bundle of authorities, or certifi's."""
    answered = ssl.get_default_verify_paths()
    for name in (os.environ.get("SSL_CERT_FILE"), answered.cafile, answered.openssl_cafile, *_SYSTEM):
        # A shell in another twin has that twin's.
        if name and Path(name).is_file() and Path(name).name != "authorities.pem":
            return Path(name)
    try:
        import certifi
    except ModuleNotFoundError:
        return None
    return Path(certifi.where())
