"""Permissions of methods that are called otherwise than the method."""

from __future__ import annotations

from typing import Final

MEANT: Final = {
    "secretmanager.secrets.addVersion": "secretmanager.versions.add",
    "cloudkms.cryptoKeys.encrypt": "cloudkms.cryptoKeyVersions.useToEncrypt",
    "cloudkms.cryptoKeys.decrypt": "cloudkms.cryptoKeyVersions.useToDecrypt",
    "servicenetworking.connections.create": "servicenetworking.services.addPeering",
    "servicenetworking.connections.deleteConnection": "servicenetworking.services.deleteConnection",
    "servicenetworking.connections.list": "servicenetworking.services.get",
    "servicenetworking.connections.update": "servicenetworking.services.addPeering",
    "bigquery.tabledata.list": "bigquery.tables.getData",
    "logging.entries.list": "logging.logEntries.list",
    **{
        f"pubsub.subscriptions.{word}": "pubsub.subscriptions.consume"
        for word in ("pull", "acknowledge", "modifyAckDeadline")
    },
    # Of the caller's jobs; of those of others their handlers decide ("Running jobs").
    **{
        f"bigquery.jobs.{word}": "bigquery.jobs.create"
        for word in ("query", "get", "getQueryResults", "list", "cancel")
    },
}
