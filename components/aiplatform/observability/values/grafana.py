"""Values of Grafana.

Data sources and dashboards are files, which Kubernetes mounts. The chart's sidecars would find them by the
API instead, for which Grafana could read every Secret of the namespace, or of the cluster.
"""

from typing import Any, Final

from aiplatform._shared.outputs import mapped
from aiplatform.addons.values.setup import scheduling
from aiplatform.observability.args import CHART, Oidc
from aiplatform.observability.values.setup import ADMIN, NAMESPACE, Setup, resources

OIDC_SECRET: Final = "grafana-oidc"  # noqa: S105
"""The Secret with the secret of the client of OpenID Connect, in the key of the same name."""
_FOLDER: Final = "/etc/grafana/oidc"
_PLUGIN: Final = "grafana-amazonprometheus-datasource"
_PLUGIN_VERSION: Final = "3.3.5"
_DASHBOARDS: Final = "/var/lib/grafana/dashboards"


def values(setup: Setup) -> dict[str, Any]:
    """Return the values."""
    oidc = setup.grafana.oidc
    return {
        "image": setup.image("grafana"),
        "admin": {"existingSecret": setup.grafana.admin_secret or ADMIN},
        "resources": resources("50m", "256Mi", "512Mi"),
        **scheduling(),
        # It calls no API of the cluster.
        "rbac": {"create": False},
        "serviceAccount": {"autoMount": False},
        "automountServiceAccountToken": False,
        "sidecar": {"dashboards": {"enabled": False}, "datasources": {"enabled": False}},
        "defaultDashboardsEnabled": False,
        "containerSecurityContext": {"readOnlyRootFilesystem": True},
        "extraEmptyDirMounts": [{"name": "temporary", "mountPath": "/tmp"}],  # noqa: S108
        "testFramework": {"enabled": False},
        "datasources": {"datasources.yaml": {"apiVersion": 1, "datasources": _data_sources(setup)}},
        "grafana.ini": _configuration(oidc, signs=setup.data_source),
        **(_dashboards(setup) if setup.dashboards else {}),
        **(_reading(setup) if setup.data_source else {}),
        **({"extraSecretMounts": [_mount()]} if oidc is not None else {}),
    }


def _reading(setup: Setup) -> dict[str, Any]:
    """Return what the data source of the workspace needs."""
    return {"plugins": [f"{_PLUGIN}@{_PLUGIN_VERSION}"], "podAnnotations": setup.identity("grafana")}


def _data_sources(setup: Setup) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = [
        {
            "name": "Prometheus",
            "type": "prometheus",
            "uid": "prometheus",
            "url": f"http://{CHART}-prometheus.{NAMESPACE}:9090/",
            "access": "proxy",
            "isDefault": True,
            "jsonData": {
                "httpMethod": "POST",
                "timeInterval": f"{setup.prometheus.scrape_interval_seconds}s",
            },
        },
        {
            "name": "Alertmanager",
            "type": "alertmanager",
            "uid": "alertmanager",
            "url": f"http://{CHART}-alertmanager.{NAMESPACE}:9093/",
            "access": "proxy",
            "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
        },
    ]
    if setup.data_source and setup.workspace_url is not None:
        sources.append(
            {
                "name": "Long-term storage",
                "type": _PLUGIN,
                "uid": "long-term",
                "url": mapped(setup.workspace_url, lambda url: url.rstrip("/")),
                "access": "proxy",
                "jsonData": {
                    "httpMethod": "POST",
                    "sigV4Auth": True,
                    "sigV4AuthType": "default",
                    "sigV4Region": setup.region,
                },
            }
        )
    return sources


def _configuration(oidc: Oidc | None, *, signs: bool) -> dict[str, Any]:
    """Return grafana.ini. A user signs in; nothing is sent to Grafana Labs. signs: whether a data source has
    requests signed for AWS."""
    settings: dict[str, Any] = {
        "analytics": {
            "reporting_enabled": False,
            "check_for_updates": False,
            "check_for_plugin_updates": False,
        },
        "auth.anonymous": {"enabled": False},
        "security": {"disable_gravatar": True, "cookie_secure": oidc is not None},
        "users": {"allow_sign_up": False, "viewers_can_edit": False},
        "snapshots": {"external_enabled": False},
        "news": {"news_feed_enabled": False},
        # Otherwise it downloads apps of Grafana Labs when it starts, and updates of its image's plugins. That
        # for Prometheus is then unloaded, and cannot be replaced, since its folder is read-only
        # (grafana/grafana issue 132528).
        "plugins": {"preinstall_auto_update": False} if signs else {"preinstall_disabled": True},
    }
    if signs:
        settings["auth"] = {"sigv4_auth_enabled": True}
    if oidc is not None:
        settings["server"] = {"root_url": oidc.root_url}
        settings["auth.generic_oauth"] = {
            "enabled": True,
            "name": "OpenID Connect",
            "allow_sign_up": True,
            "use_pkce": True,
            "scopes": "openid profile email groups",
            "client_id": oidc.client_id,
            "client_secret": f"$__file{{{_FOLDER}/{OIDC_SECRET}}}",
            "auth_url": oidc.auth_url,
            "token_url": oidc.token_url,
            "api_url": oidc.api_url,
            "role_attribute_path": oidc.role_expression,
            "role_attribute_strict": True,
        }
    return settings


def _mount() -> dict[str, Any]:
    return {
        "name": OIDC_SECRET,
        "secretName": OIDC_SECRET,
        "defaultMode": 0o440,
        "mountPath": _FOLDER,
        "readOnly": True,
    }


def _dashboards(setup: Setup) -> dict[str, Any]:
    """Return a provider for each ConfigMap: Kubernetes mounts it as a folder."""
    return {
        "dashboardProviders": {
            "dashboardproviders.yaml": {
                "apiVersion": 1,
                "providers": [
                    {
                        "name": name,
                        "orgId": 1,
                        "folder": "AI platform",
                        "type": "file",
                        "disableDeletion": True,
                        "allowUiUpdates": False,
                        "options": {"path": f"{_DASHBOARDS}/{name}"},
                    }
                    for name in setup.dashboards
                ],
            }
        },
        "dashboardsConfigMaps": {name: name for name in setup.dashboards},
    }
