"""The main variants of the components that keep data: lakehouse, feature store, model registry and store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.components.aiplatform.feature_store import example as features
from tests.components.aiplatform.lakehouse import example, google
from tests.components.aiplatform.model_registry import example as models
from tests.components.aiplatform.model_store import example as stores
from tests.components.recording import ACCOUNT, REGION, Recording

_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/"
_TAGS: Final = {"team": "shop"}
_DAILY: Final = "0 6 * * *"
_NETWORK: Final = {"vpc_id": "vpc-1", "cidr": "10.0.0.0/16", "private_subnet_ids": ["subnet-a", "subnet-b"]}
_SECRET: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop-replica-AbCdEf"
_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
_RULES: Final[list[dict[str, Any]]] = [
    {"rule": "complete", "column": "id"},
    {"rule": "between", "column": "amount", "low": 0, "at_least": 0.99},
    {"rule": "matches", "column": "email", "pattern": ".+@.+"},
    {"rule": "rows", "low": 1},
    {"rule": "fresh", "column": "ordered_at", "hours": 24},
]
_PII: Final = ["public", "internal", "pii"]
_BATCHES: Final[list[dict[str, Any]]] = [
    {
        "name": "load",
        "script": "s3://acme-scripts/load.py",
        "arguments": {"since": "yesterday"},
        "schedule": "15 3 * * 1-5",
        "publishes": ["curated.orders"],
        "worker_size": "medium",
        "workers": 4,
        "timeout_minutes": 90,
        "retries": 1,
    },
    {"name": "once", "script": "s3://acme-scripts/once.py"},
]
_CAPTURES: Final[list[dict[str, Any]]] = [
    {
        "name": "shop",
        "engine": "postgresql",
        "database": "shop",
        "secret": _SECRET,
        "tables": ["public.orders", "public.customer%"],
    },
    {
        "name": "crm",
        "engine": "mysql",
        "secret": _SECRET,
        "secret_key": _KEY,
        "ca_certificate": _CERTIFICATE,
        "tables": ["crm.contacts"],
        "capacity": 8,
        "multi_zone": True,
        "file_seconds": 600,
    },
]
_FLAT: Final[dict[str, Any]] = {
    **example.ORDERS,
    "columns": [
        column for column in example.ORDERS["columns"] if column["name"] not in ("address", "labels")
    ],
    "partitions": example.ORDERS["partitions"][:1],
}
_BILLING: Final[dict[str, Any]] = {"name": "finance", "actions": ["read"], "billing": True}
LAKEHOUSE: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": lambda: example.lakehouse(grants=[example.BY_TAGS, example.BY_TABLE]),
    "aws-ingestion": lambda: example.lakehouse(
        tables=[
            {**example.ORDERS, "quality": {"rules": _RULES, "schedule": _DAILY}},
            example.EVENTS,
        ],
        streams=[{"name": "clicks", "table": "raw.events", "buffer_seconds": 60, "buffer_mib": 32}],
        captures=_CAPTURES,
        batches=_BATCHES,
        network=_NETWORK,
        quality_targets={"data-team": f"arn:aws:sns:{REGION}:{ACCOUNT}:data-team"},
    ),
    "aws-s3-tables": lambda: example.lakehouse(
        store="s3_tables",
        tables=[_FLAT, example.EVENTS],
        grants=[example.BY_TABLE],
        streams=[{"name": "clicks", "table": "raw.events"}],
    ),
    "aws-guarded": lambda: example.lakehouse(
        grants=[
            {**example.BY_TABLE, "classifications": _PII, "rows": "amount < 100"},
            {**example.BY_TAGS, "actions": ["read", "write"]},
        ],
        admins=[f"{_ROLE}stewards"],
        snapshots=[{"table": "raw.events", "name": "training-1", "keep_days": 30}],
        zones={"raw": {"file_days": 400, "deleted_days": 400}},
        legal_hold={"days": 365, "mode": "compliance"},
        arrival_targets={"loader": f"arn:aws:sqs:{REGION}:{ACCOUNT}:arrivals"},
        file_readers=[f"{_ROLE}acme-dev-fn-ingest"],
        query_cutoff_bytes=2 * 1024**4,
        access_log_days=365,
        account_settings=False,
        protect=True,
        retain_data=True,
        tags=_TAGS,
    ),
    "aws-bare": lambda: example.lakehouse(tables=[], arrival_events=False, force_destroy=True),
    "aws-billing": lambda: example.lakehouse(
        tables=[], grants=[{**_BILLING, "principal": example.ANALYSTS}], billing_export={"days": 400}
    ),
    "gcp-billing": lambda: google.lakehouse(
        tables=[],
        grants=[{**_BILLING, "principal": google.ANALYSTS}],
        billing_export={
            "billing_account": "01AB23-45CD67-89EF01",
            "linked": True,
            "team_namespaces": {"team-rec": "rec"},
        },
    ),
    "gcp": lambda: google.lakehouse(grants=[google.BY_ZONES, google.BY_TABLE]),
    "gcp-full": lambda: google.lakehouse(
        tables=[
            {**google.ORDERS, "quality": {"rules": _RULES, "schedule": _DAILY}},
            google.EVENTS,
        ],
        grants=[
            google.BY_TABLE,
            {**google.BY_TABLE, "name": "raw", "tables": ["raw.events"], "rows": None},
            {**google.BY_ZONES, "actions": ["read", "write"]},
        ],
        admins=["user:jane@acme.example", "group:platform@acme.example"],
        streams=[{"name": "clicks", "table": "raw.events"}],
        batches=[
            {"name": "load", "script": "gs://acme-scripts/load.py", "schedule": "15 3 * * *"},
            {"name": "once", "script": "gs://acme-scripts/once.py", "arguments": {"day": "all"}},
        ],
        network=google.NETWORK,
        legal_hold={"days": 400, "mode": "compliance"},
        zones={"curated": {"file_days": 90}},
        arrival_targets={"loader": google.PIPELINE},
        quality_targets={"stewards": google.ANALYSTS},
        query_cutoff_bytes=2 * 1024**4,
        perimeter={
            "access_policy": "123456789",
            "deployers": [f"serviceAccount:deployer@{google.PROJECT}.iam.gserviceaccount.com"],
        },
        protect=True,
        retain_data=True,
        tags=_TAGS,
    ),
    "gcp-bare": lambda: google.lakehouse(
        tables=[], account_settings=False, arrival_events=False, force_destroy=True
    ),
}
FEATURE_STORE: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": lambda: features.aws(),
    "aws-dynamodb": lambda: features.aws(
        appliers=[f"{_ROLE}data-scientists"],
        readers=[f"{_ROLE}teams/training"],
        backup_days=35,
        consistent_reads=True,
        staging_days=3,
        query_cutoff_bytes=200 * 1024**3,
        protect=True,
        retain_data=True,
        server={"clients": ["shop"]},
        tags=_TAGS,
    ),
    "aws-valkey": lambda: features.aws(
        latency="sub_millisecond", network=features.NETWORK, expire_days=3, backup_days=5
    ),
    "aws-sql-registry": lambda: features.aws(
        registry={"kind": "sql", "secret": "feast-registry"},
        mirrors={"quay.io": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/quay"},
        force_destroy=True,
    ),
    "gcp-firestore": lambda: features.google(
        appliers=["group:data-science@acme.example"],
        readers=["user:ada@acme.example"],
        backup_days=7,
        protect=True,
        retain_data=True,
    ),
    "gcp-bigtable": lambda: features.google(
        latency="milliseconds", appliers=["group:data-science@acme.example"], force_destroy=True, tags=_TAGS
    ),
}
MODEL_REGISTRY: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": lambda: models.registry(
        accounts={
            "release": {"principals": [models.RELEASE], "promotes": True},
            "training": {"principals": [models.TRAINING]},
        },
        client_namespaces=["training"],
        hosts=["models.acme.example"],
        tags=_TAGS,
    ),
    "aws-available": lambda: models.registry(
        high_availability=True,
        protect=True,
        retain_data=True,
        database={"size": "medium", "backup_days": 30, "deletion_protection": True},
        tls_secret="mlflow-tls",
        guarded_aliases=["champion", "shadow"],
        workers=4,
        artifacts={"deleted_days": 60, "access_log_days": 365},
        mirrors={"ghcr.io": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ghcr"},
    ),
    "aws-existing-database": lambda: models.registry(
        database={
            "existing": {
                **models.ON_AWS,
                "name": "models_dev",
                "master_secret_kms_key": _KEY,
                "security_group_id": "sg-0123456789abcdef0",
            }
        },
    ),
    "gcp": lambda: models.on_google(
        accounts={"release": {"principals": [models.PIPELINE], "promotes": True}},
        client_namespaces=["training"],
    ),
    "gcp-available": lambda: models.on_google(
        high_availability=True,
        database={"size": "medium", "backup_days": 14, "deletion_protection": True},
        protect=True,
        retain_data=True,
        tls_secret="mlflow-tls",
        tags=_TAGS,
    ),
    "gcp-existing-database": lambda: models.on_google(
        database={"existing": {"connection_name": models.CONNECTION, "name": "models_dev"}},
    ),
}
MODEL_STORE: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": lambda: stores.store(
        registry=stores.REGISTRY,
        hugging_face={"secret": "acme-dev/hugging-face", "kms_key": stores.KEY},
        release_group=[stores.APPROVERS],
        image=stores.IMAGE,
        force_destroy=True,
        tags=_TAGS,
    ),
    "aws-prod": lambda: stores.store(
        profile="prod",
        release_group=[stores.APPROVERS],
        checkpoints={"bucket": "acme-scratch", "kms_key": stores.KEY},
        releases={"retention": {"days": 365}},
        kms_key=stores.KEY,
        api_ranges=["10.0.0.0/16"],
        protect=True,
        retain_data=True,
    ),
    "aws-workflows": lambda: stores.store(
        profile="prod",
        registry=stores.REGISTRY,
        release_group=[stores.APPROVERS],
        image=stores.IMAGE,
        workflows={"executor_image": "quay.io/argoproj/argoexec:v4.0.6"},
    ),
    "gcp-workflows": lambda: stores.on_google(
        registry=stores.GOOGLE_REGISTRY,
        release_group=["group:release@acme.example"],
        image=stores.IMAGE,
        workflows={"executor_image": "quay.io/argoproj/argoexec:v4.0.6"},
    ),
    "gcp": lambda: stores.on_google(
        registry=stores.GOOGLE_REGISTRY,
        hugging_face={"secret": "hugging-face"},
        release_group=["group:release@acme.example"],
        image=stores.IMAGE,
        force_destroy=True,
        tags=_TAGS,
    ),
    "gcp-prod": lambda: stores.on_google(
        profile="prod",
        release_group=["group:release@acme.example"],
        checkpoints={"bucket": "acme-scratch"},
        releases={"retention": {"days": 365, "mode": "compliance"}, "deleted_days": 90},
        kms_key="projects/acme-keys/locations/europe-west4/keyRings/data/cryptoKeys/models",
        protect=True,
        retain_data=True,
    ),
}
