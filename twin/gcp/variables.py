"""What a program is told to find the twin instead of Google Cloud."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final

from twin.gcp.apis import APIS
from twin.world import World

_SYSTEM: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def variables(world: World) -> dict[str, str]:
    """The variables of Google's clients, of gcloud and of the providers."""
    from twin.gcp.credentials import deployer

    token = deployer(world).access_token
    endpoints: dict[str, str] = {}
    for api in APIS.values():
        url = f"{world.url('cloud')}/{api.host}/{api.path}"
        endpoints[api.variable] = url
        # gcloud wants the version of the old APIs (`compute/v1/`) and adds that of the others itself.
        old = api.path.count("/") > 1 and api.name != "sqladmin"
        root = url if old else url.removesuffix(api.path)
        if not api.beside:
            name = "SQL" if api.name == "sqladmin" else api.name.upper()
            endpoints[f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"] = root
    return {
        **endpoints,
        "GOOGLE_OAUTH_ACCESS_TOKEN": token,
        "CLOUDSDK_AUTH_ACCESS_TOKEN": token,
        "GOOGLE_PROJECT": world.account,
        "GOOGLE_CLOUD_PROJECT": world.account,
        "CLOUDSDK_CORE_PROJECT": world.account,
        "GOOGLE_REGION": world.region,
        "CLOUDSDK_COMPUTE_REGION": world.region,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "USE_GKE_GCLOUD_AUTH_PLUGIN": "True",
        # The certificate of a cluster's DNS endpoint is one that everybody trusts: here, whoever is told.
        "SSL_CERT_FILE": str(authorities(world)),
    }


def nowhere(world: World) -> dict[str, str]:
    """What keeps the clients from the user's own login and a machine's account, in a world of any cloud."""
    return {
        "CLOUDSDK_CONFIG": str(world.folder / "gcloud"),
        "GCE_METADATA_HOST": "127.0.0.1:1",
        "NO_GCE_CHECK": "true",
    }


def authorities(world: World) -> Path:
    """The file with all authorities that programs in the world trust: the system's and the world's own."""
    return world.folder / "kubernetes" / "authorities.pem"


def prepare(world: World) -> None:
    """Write the token and the authorities where the variables say. Repeatable."""
    from twin.gcp.credentials import deployer
    from twin.kubernetes import certificates

    deployer(world)
    pki = certificates.ensure(world.folder / "kubernetes" / "pki")
    own = pki.certificate("ca").read_bytes()
    system = _system()
    whole = own + (system.read_bytes() if system else b"")
    target = authorities(world)
    if not target.exists() or target.read_bytes() != whole:
        draft = target.with_suffix(".new")
        draft.write_bytes(whole)
        draft.replace(target)


def _system() -> Path | None:
    """The system's own bundle of authorities, or certifi's."""
    told = ssl.get_default_verify_paths()
    for name in (os.environ.get("SSL_CERT_FILE"), told.cafile, told.openssl_cafile, *_SYSTEM):
        # A shell in another twin has that twin's.
        if name and Path(name).is_file() and Path(name).name != "authorities.pem":
            return Path(name)
    try:
        import certifi
    except ModuleNotFoundError:
        return None
    return Path(certifi.where())
