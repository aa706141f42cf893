"""Alerts of certificates and of secrets from the cloud's secret manager."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings

_NAME: Final = "{{ $labels.namespace }}/{{ $labels.name }}"


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    if "cert-manager" in settings.addons:
        # Not a number of days before it expires: certificates for hours would always be below it. Both times
        # are 0 of a certificate that was never issued (internal/collectors/certificate_collector.go of
        # cert-manager).
        yield Alert(
            name="CertificateNotRenewed",
            severity="warning",
            expression="time() - (certmanager_certificate_renewal_timestamp_seconds > 0) > 6 * 3600",
            summary=f"certificate {_NAME} was not renewed",
            description="Its renewal has been due for {{ $value | humanizeDuration }}.",
            pending="15m",
        )
        yield Alert(
            name="CertificateExpiresSoon",
            severity="critical",
            expression=(
                "(certmanager_certificate_expiration_timestamp_seconds > 0) - time() < 3 * 86400 "
                "and time() > certmanager_certificate_renewal_timestamp_seconds"
            ),
            summary=f"certificate {_NAME} expires soon",
            description=(
                "It is valid for {{ $value | humanizeDuration }}, and was not renewed. Then connections fail."
            ),
            pending="1h",
        )
        yield Alert(
            name="CertificateNotReady",
            severity="warning",
            expression='certmanager_certificate_ready_status{condition="True"} == 0',
            summary=f"certificate {_NAME} is not ready",
            description="It was not issued: connections that need it fail.",
            pending="15m",
        )
    if "external-secrets" in settings.addons:
        yield Alert(
            name="SecretNotSynchronized",
            severity="warning",
            expression='externalsecret_status_condition{condition="Ready", status="False"} == 1',
            summary=f"secret {_NAME} is not read from the secret manager",
            description="The Secret is missing, or has an old value.",
            pending="15m",
        )
        yield Alert(
            name="SecretStoreNotReady",
            severity="warning",
            expression='secretstore_status_condition{condition="Ready", status="False"} == 1',
            summary=f"SecretStore {_NAME} cannot be used",
            description=(
                "Secrets of its namespace are not read: mostly a role without permission, or one that was "
                "deleted."
            ),
            pending="15m",
        )
