"""DynamoDB through the API server: tables and policies, as strict as AWS."""

from __future__ import annotations

from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import Made, make, refused

TABLE = "aws:dynamodb/table:Table"


def inputs(key: str, **more: Any) -> Props:
    """A table as the feature store makes it."""
    arguments: Props = {
        "name": "acme.features.drivers",
        "attributes": [{"name": "entity_id", "type": "S"}],
        "hashKey": "entity_id",
        "billingMode": "PAY_PER_REQUEST",
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": key},
        "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7},
        **more,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def table(clients: Clients, key: str, **more: Any) -> Made:
    return make(clients.context(), TABLE, **inputs(key, **more))


def test_a_table_is_as_asked_takes_items_changes_and_goes(clients: Clients, key: str) -> None:
    created = table(clients, key, ttl={"enabled": True, "attributeName": "until"}, tags={"team": "ml"})
    outputs = created.outputs
    assert outputs["arn"].endswith(":table/acme.features.drivers")
    assert outputs["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": key}
    assert outputs["pointInTimeRecovery"] == {"enabled": True, "recoveryPeriodInDays": 7}
    assert outputs["ttl"] == {"enabled": True, "attributeName": "until"}
    assert (outputs["billingMode"], outputs["hashKey"]) == ("PAY_PER_REQUEST", "entity_id")
    item = {"entity_id": {"S": "7"}, "value": {"N": "1"}}
    clients("dynamodb").put_item(TableName=created.id, Item=item)
    assert clients("dynamodb").get_item(TableName=created.id, Key={"entity_id": {"S": "7"}})["Item"] == item
    assert (
        created.update(tableClass="STANDARD_INFREQUENT_ACCESS")["tableClass"] == "STANDARD_INFREQUENT_ACCESS"
    )
    assert created.update(serverSideEncryption={"enabled": True, "kmsKeyArn": key}, tags={"team": "x"})[
        "tags"
    ] == {"team": "x"}
    off = created.update(
        ttl={"enabled": False, "attributeName": "until"}, pointInTimeRecovery={"enabled": False}
    )
    assert (off["ttl"]["enabled"], off["pointInTimeRecovery"]["enabled"]) == (False, False)
    other = clients("kms").create_key()["KeyMetadata"]["Arn"]
    assert (
        created.update(serverSideEncryption={"enabled": True, "kmsKeyArn": other})["serverSideEncryption"][
            "kmsKeyArn"
        ]
        == other
    )
    with_index = created.update(
        attributes=[{"name": "entity_id", "type": "S"}, {"name": "at", "type": "N"}],
        globalSecondaryIndexes=[{"name": "by-time", "hashKey": "at", "projectionType": "KEYS_ONLY"}],
    )
    assert with_index["globalSecondaryIndexes"][0]["name"] == "by-time"
    assert created.read() == created.outputs
    created.delete()
    assert created.read() is None
    assert "dynamodb/tables" not in clients.server._inventory.of(clients.server)


def test_a_protected_table_stays(clients: Clients, key: str) -> None:
    created = table(clients, key, deletionProtectionEnabled=True)
    with pytest.raises(CloudError, match="Disable deletion protection first"):
        created.delete()
    created.update(deletionProtectionEnabled=False)
    created.delete()
    assert not [name for name in clients.server._inventory.of(clients.server) if name.startswith("dynamodb/")]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"name": "a/b"}, "name", "may contain only the characters"),
        (
            {"serverSideEncryption": {"enabled": True, "kmsKeyArn": "arn:aws:kms:us-west-2:1:key/none"}},
            "serverSideEncryption",
            "does not exist or is not enabled",
        ),
        ({"name": "taken"}, "name", "Table already exists: taken"),
    ],
)
def test_what_dynamodb_refuses(clients: Clients, key: str, change: Any, path: str, words: str) -> None:
    taken = table(clients, key, name="taken")
    with pytest.raises(CloudError, match=words) as error:
        table(clients, key, **change)
    assert error.value.path == path
    taken.delete()


def test_what_the_provider_and_the_model_refuse_is_reported_by_check(clients: Clients, key: str) -> None:
    def reasons(**change: Any) -> dict[str, str]:
        return refused(clients.context(), TABLE, **inputs(key, **change))

    two = [{"name": "entity_id", "type": "S"}, {"name": "spare", "type": "S"}]
    assert "Unused attributes: spare" in reasons(attributes=two)["attributes[1]"]
    assert "Unmatched indexes: at" in reasons(rangeKey="at")["attributes"]
    assert "required when billing_mode is PROVISIONED" in reasons(billingMode="PROVISIONED")["readCapacity"]
    assert "attributes[0].type" in reasons(attributes=[{"name": "entity_id", "type": "X"}])
    assert "tableClass" in reasons(tableClass="COLD")
    assert "ttl.attributeName" in reasons(ttl={"enabled": True})
