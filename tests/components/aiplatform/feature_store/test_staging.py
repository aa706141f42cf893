"""Staging between Feast and Athena, separate for each principal."""

from __future__ import annotations

import json

import yaml

from tests.components.aiplatform.feature_store.example import (
    APPLIER,
    CALLED,
    READER,
    ROLE,
    rendered,
    statements,
)
from tests.components.recording import ACCOUNT, Recording, value


def test_each_principal_queries_and_stages_separately(recording: Recording) -> None:
    principals = {
        "materializer": f"{ROLE}acme-dev-wi-features",
        APPLIER: f"{ROLE}data-scientists",
        READER: f"{ROLE}teams/training",
    }
    for who, principal in principals.items():
        rights, bucket = statements(recording, who), f"arn:aws:s3:::acme-dev-feast-{CALLED[who]}-{ACCOUNT}"
        assert rights["Staging"]["Resource"] == f"{bucket}/*"
        assert rights["FindStaging"]["Resource"] == bucket
        assert rights["Query"]["Resource"].endswith(f":workgroup/acme-dev-features-{CALLED[who]}")
        policy = recording.one("aws:s3/bucketPolicy:BucketPolicy", f"features-staging-{who}").inputs["policy"]
        denied = {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}[
            "AnotherPrincipal"
        ]
        assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": principal}}
        assert {"s3:GetObject", "s3:PutObject"} <= set(denied["Action"])
        assert (denied["Principal"], denied["Resource"]) == ("*", f"{bucket}/*"), "administrators included"
        for kind, name in (
            ("aws:s3/bucket:Bucket", f"features-staging-{who}"),
            ("aws:athena/workgroup:Workgroup", f"features-{who}"),
        ):
            resource = recording.one(kind, name)
            assert resource.inputs["tags"]["principal"] == principal
            assert bool(resource.replace_on_changes) is not bool(resource.protect), (
                "what is protected cannot be replaced, and all else is"
            )
            assert resource.replace_on_changes in ((), ("tags.principal",)), (
                "another principal in its place finds nothing of what was staged before"
            )
            assert who == "materializer" or resource.protect is None, "or it could not be replaced"
        assert recording.one("aws:s3/bucket:Bucket", f"features-staging-{who}").inputs["forceDestroy"] is True


def test_each_applier_and_reader_has_a_separate_configuration(recording: Recording) -> None:
    clients = value(recording.result.clients)
    assert [client["principal"] for client in clients] == [f"{ROLE}data-scientists", f"{ROLE}teams/training"]
    for who, client in zip((CALLED[APPLIER], CALLED[READER]), clients, strict=True):
        file = yaml.safe_load(client["feature_store_yaml"])
        assert file["offline_store"]["workgroup"] == client["workgroup"] == f"acme-dev-features-{who}"
        assert file["offline_store"]["s3_staging_location"] == f"s3://{client['staging_bucket']}"
        assert {**file, "offline_store": None} == {**rendered(recording), "offline_store": None}


def test_a_workgroup_depends_on_the_bucket_of_its_results(recording: Recording) -> None:
    for who in CALLED:
        workgroup = recording.one("aws:athena/workgroup:Workgroup", f"features-{who}")
        assert recording.depends(
            workgroup, on=recording.one("aws:s3/bucket:Bucket", f"features-staging-{who}")
        ), "Athena verifies the bucket when the workgroup is created"


def test_feast_chooses_athenas_output_location_within_a_cutoff(recording: Recording) -> None:
    settings = recording.one("aws:athena/workgroup:Workgroup", "features-materializer").inputs[
        "configuration"
    ]
    assert settings["enforceWorkgroupConfiguration"] is False, "or CREATE TABLE AS with a place is refused"
    assert settings["bytesScannedCutoffPerQuery"] == 100 * 1024**3
    result = settings["resultConfiguration"]
    assert result["outputLocation"] == f"s3://acme-dev-feast-materializer-{ACCOUNT}/results/"
    assert result["encryptionConfiguration"]["encryptionOption"] == "SSE_KMS"
