"""From a provider's configuration to a context: project, region, token, endpoints, labels.

Rules and words are those of the Google provider (https://www.pulumi.com/registry/packages/gcp/api-docs/provider/,
and google-beta/transport/config.go of the Terraform provider behind it).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from twin.gcp.apis import APIS
from twin.gcp.context import CREATION_ONLY, PROACTIVE, GcpContext, Labels
from twin.gcp.http_client import Transport
from twin.provider_interface import UNKNOWN, CloudError, Failure, Props

PROJECT: Final = re.compile(r"(?:[a-z0-9.-]+:)?[a-z](?:[-a-z0-9]{4,28}[a-z0-9])")
"""`Creating and managing projects`: 6 to 30 lower-case letters, digits and hyphens, a letter first, no hyphen
last; with the domain in front for the old ones of a domain."""
LABEL_KEY: Final = re.compile(r"[\w-]{0,63}")
_POLICIES: Final = ("DELETE", "PREVENT", "ABANDON")
_VARIABLES: Final = {
    "project": ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    "region": ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    "zone": ("GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"),
}


def check(config: Props) -> list[Failure]:
    """What can be answered of a configuration without a call."""
    settings = decoded(config)
    failures: list[Failure] = []
    project = settings.get("project")
    if isinstance(project, str) and not PROJECT.fullmatch(project):
        failures.append(
            Failure(
                "project",
                f'"{project}" project_id must be 6 to 30 with lowercase letters, digits, hyphens and '
                "start with a letter. Trailing hyphens are prohibited.",
            )
        )
    if settings.get("credentials") and settings.get("accessToken"):
        failures.append(Failure("accessToken", '"access_token": conflicts with credentials'))
    strategy = settings.get("pulumiAttributionLabelAdditionStrategy")
    if strategy not in (None, UNKNOWN, CREATION_ONLY, PROACTIVE):
        failures.append(
            Failure(
                "pulumiAttributionLabelAdditionStrategy",
                f"expected one of [{CREATION_ONLY} {PROACTIVE}], got {strategy}",
            )
        )
    policy = settings.get("deletionPolicy")
    if policy not in (None, UNKNOWN, *_POLICIES):
        failures.append(Failure("deletionPolicy", f"expected one of {', '.join(_POLICIES)}, got {policy}"))
    failures += label_failures("defaultLabels", settings.get("defaultLabels"))
    return failures


def label_failures(path: str, labels: Any) -> Iterable[Failure]:
    """What Google refuses of labels ("Labels overview: requirements for labels"), in its words."""
    if not isinstance(labels, Mapping):
        return
    if len(labels) > 64:
        yield Failure(path, f"got {len(labels)} labels, a resource can have at most 64")
    for key, value in labels.items():
        # International letters are allowed as long as they have no upper case.
        if not key or not LABEL_KEY.fullmatch(key) or key != key.lower() or not key[:1].isalpha():
            yield Failure(
                f"{path}.{key}",
                f"Invalid value for field 'labels': '{key}'. Label key must start with a lowercase letter "
                "and only contain lowercase letters, numeric characters, underscores and dashes, at most 63",
            )
        if isinstance(value, str) and (not LABEL_KEY.fullmatch(value) or value != value.lower()):
            yield Failure(
                f"{path}.{key}",
                f"Invalid value for field 'labels': '{value}'. Label value can only contain lowercase "
                "letters, numeric characters, underscores and dashes, at most 63",
            )


def configure(config: Props) -> GcpContext:
    """A context for this configuration. CloudError where Google or the configuration refuses it."""
    settings = decoded(config)
    failures = check(config)
    if failures:
        raise CloudError(failures[0].reason, path=failures[0].path)
    return GcpContext(
        region=_answered(settings, "region"),
        account=_answered(settings, "project"),
        zone=_answered(settings, "zone"),
        endpoints=_endpoints(settings),
        transport=Transport(_token(settings)),
        labels=_labels(settings),
        deletion_policy=settings.get("deletionPolicy") or "DELETE",
    )


def decoded(config: Props) -> Props:
    """The engine hands nested values of a provider's configuration over as JSON text; credentials are one."""
    return {
        key: value if key == "credentials" else _decode(value)
        for key, value in config.items()
        if value is not None and value != ""
    }


def _decode(value: Any) -> Any:
    if (isinstance(value, str) and value[:1] in ("{", "[")) or value in ("true", "false"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _answered(settings: Props, key: str) -> str:
    setting = settings.get(key)
    if isinstance(setting, str) and setting:
        return setting.rpartition("/")[2]
    return next((os.environ[name] for name in _VARIABLES[key] if os.environ.get(name)), "")


def _token(settings: Props) -> str:
    token = settings.get("accessToken") or os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN")
    if isinstance(token, str) and token and not settings.get("credentials"):
        return token
    credentials = settings.get("credentials") or os.environ.get("GOOGLE_CREDENTIALS", "")
    access_token = _token_of(credentials) if isinstance(credentials, str) else ""
    if not access_token:
        raise CloudError(
            "Attempted to load application default credentials since neither `credentials` nor `accessToken` "
            "was set in the provider block. No credentials loaded. To use your gcloud credentials, run "
            "`gcloud auth application-default login`. In a twin GOOGLE_OAUTH_ACCESS_TOKEN holds the token."
        )
    return access_token


def _token_of(credentials: str) -> str:
    """The access token in a file of credentials, or in its contents."""
    try:
        text = credentials if credentials.lstrip().startswith("{") else Path(credentials).read_text()
        answered = json.loads(text)
    except (OSError, ValueError):
        return ""
    return str(answered.get("access_token", "")) if isinstance(answered, dict) else ""


def _endpoints(settings: Props) -> dict[str, str]:
    endpoints: dict[str, str] = {}
    for api in APIS.values():
        setting = settings.get(api.argument) or os.environ.get(api.variable)
        url = setting if isinstance(setting, str) and setting else api.default
        endpoints[api.name] = url if url.endswith("/") else f"{url}/"
    return endpoints


def _labels(settings: Props) -> Labels:
    default = settings.get("defaultLabels") or {}
    attribution = settings.get("addPulumiAttributionLabel")
    return Labels(
        default={key: value for key, value in default.items() if isinstance(value, str)},
        attribution=attribution if isinstance(attribution, bool) else True,
        strategy=settings.get("pulumiAttributionLabelAdditionStrategy") or CREATION_ONLY,
    )
