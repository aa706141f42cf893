"""Credentials as Secrets of the namespace `monitoring`, which External Secrets makes: those of receivers and
of Grafana, out of the cloud's secret manager, and Grafana's administrator, with a random password."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.context import Context
from aiplatform.observability import alertmanager
from aiplatform.observability.args import ObservabilitySettings
from aiplatform.observability.values.grafana import OIDC_SECRET
from aiplatform.observability.values.setup import ADMIN, NAMESPACE

STORE: Final = "platform"
_VERSION: Final = "external-secrets.io/v1"
_REFRESH: Final = "15m"
"""How long a changed secret takes to arrive."""
_LENGTH: Final = 32

_Context = Context[ObservabilitySettings]


def create(
    context: _Context, namespace: Sequence[pulumi.Resource], after: ResourceOptions
) -> list[pulumi.Resource]:
    """Create what External Secrets reads. namespace: what exists before. after: what custom resources wait
    for."""
    settings = context.settings
    options = ResourceOptions.merge(after, context.options(*namespace))
    created: list[pulumi.Resource] = []
    if settings.grafana.admin_secret is None:
        created += _administrator(context, options)
    if not settings.secrets:
        return created
    if settings.cloud == "gcp":
        from aiplatform.observability.cloud import gcp as cloud
    else:
        from aiplatform.observability.cloud import aws as cloud
    reader = cloud.secret_reader(context)
    store = CustomResource(
        f"{context.name}-secret-store",
        api_version=_VERSION,
        kind="SecretStore",
        metadata=meta.ObjectMetaArgs(name=STORE, namespace=NAMESPACE),
        spec={"provider": dict(reader.provider)},
        opts=ResourceOptions.merge(options, ResourceOptions(depends_on=list(reader.needed))),
    )
    in_store = ResourceOptions.merge(options, ResourceOptions(depends_on=[store]))
    for file, secret in settings.notifications.secrets.items():
        created.append(_secret(context, alertmanager.secret(file), file, secret, in_store))
    if settings.grafana.oidc is not None:
        created.append(_secret(context, OIDC_SECRET, OIDC_SECRET, settings.grafana.oidc.secret, in_store))
    return created


def _secret(context: _Context, name: str, key: str, secret: str, options: ResourceOptions) -> CustomResource:
    """Create a Secret with one key. secret: that of the cloud."""
    gcp = context.settings.cloud == "gcp"
    data: list[dict[str, Any]] = [
        {"secretKey": key, "remoteRef": {"key": secret.rpartition("/")[2] if gcp else secret}}
    ]
    return CustomResource(
        f"{context.name}-{name}",
        api_version=_VERSION,
        kind="ExternalSecret",
        metadata=meta.ObjectMetaArgs(name=name, namespace=NAMESPACE),
        spec={
            "refreshInterval": _REFRESH,
            "secretStoreRef": {"kind": "SecretStore", "name": STORE},
            # Owner: the Secret goes with the ExternalSecret.
            "target": {"name": name, "creationPolicy": "Owner"},
            "data": data,
        },
        opts=options,
    )


def _administrator(context: _Context, options: ResourceOptions) -> list[pulumi.Resource]:
    """Create the Secret of Grafana's administrator. Its password is generated in the cluster, once."""
    generator = CustomResource(
        f"{context.name}-{ADMIN}-password",
        api_version="generators.external-secrets.io/v1alpha1",
        kind="Password",
        metadata=meta.ObjectMetaArgs(name=ADMIN, namespace=NAMESPACE),
        spec={"length": _LENGTH, "digits": 8, "symbols": 0, "noUpper": False, "allowRepeat": True},
        opts=options,
    )
    reference = {
        "apiVersion": "generators.external-secrets.io/v1alpha1",
        "kind": "Password",
        "name": ADMIN,
    }
    secret = CustomResource(
        f"{context.name}-{ADMIN}",
        api_version=_VERSION,
        kind="ExternalSecret",
        metadata=meta.ObjectMetaArgs(name=ADMIN, namespace=NAMESPACE),
        spec={
            # Never again: Grafana takes the password only when its database is new.
            "refreshInterval": "0s",
            "target": {
                "name": ADMIN,
                "creationPolicy": "Owner",
                "template": {"data": {"admin-user": "admin", "admin-password": "{{ .password }}"}},
            },
            "dataFrom": [{"sourceRef": {"generatorRef": reference}}],
        },
        opts=ResourceOptions.merge(options, ResourceOptions(depends_on=[generator])),
    )
    return [secret]
