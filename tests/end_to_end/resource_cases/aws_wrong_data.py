"""Data and events that AWS or its provider refuses: each has one error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi_aws as aws

from tests.end_to_end.plain import Base, trust
from tests.end_to_end.resource_cases.aws_wrong_foundation import document

Case = Callable[[str, Base], Any]


def _database(name: str, **arguments: Any) -> None:
    good: dict[str, Any] = {
        "engine": "postgres",
        "engine_version": "16",
        "instance_class": "db.t4g.micro",
        "allocated_storage": 20,
        "username": "platform",
        "manage_master_user_password": True,
        "skip_final_snapshot": True,
    }
    aws.rds.Instance(name, **{**good, **arguments})


def _lifecycle(name: str, rule: Mapping[str, Any]) -> None:
    repository = aws.ecr.Repository(f"{name}-of")
    policy = {"rules": [{"rulePriority": 1, "action": {"type": "expire"}, **rule}]}
    aws.ecr.LifecyclePolicy(name, repository=repository.name, policy=json.dumps(policy))


def _object_rule(name: str, **rule: Any) -> None:
    bucket = aws.s3.Bucket(f"{name}-of")
    good = {"id": "rule", "status": "Enabled", "filter": {"prefix": "raw/"}}
    rules: Any = [{**good, **rule}]
    aws.s3.BucketLifecycleConfiguration(name, bucket=bucket.id, rules=rules)


def _schedule(name: str, **arguments: Any) -> None:
    role = aws.iam.Role(f"{name}-of", assume_role_policy=trust("scheduler.amazonaws.com"))
    target: Any = {
        "arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
        "role_arn": role.arn,
        "input": "{}",
    }
    good: dict[str, Any] = {
        "schedule_expression": "rate(1 hour)",
        "flexible_time_window": {"mode": "OFF"},
        "target": target,
    }
    aws.scheduler.Schedule(name, **{**good, **arguments})


def _table(name: str, **arguments: Any) -> None:
    good: dict[str, Any] = {
        "billing_mode": "PAY_PER_REQUEST",
        "hash_key": "id",
        "attributes": [{"name": "id", "type": "S"}],
    }
    aws.dynamodb.Table(name, **{**good, **arguments})


def _alarm(name: str, **arguments: Any) -> None:
    good: dict[str, Any] = {
        "comparison_operator": "GreaterThanThreshold",
        "evaluation_periods": 1,
        "metric_name": "Errors",
        "namespace": "AWS/Lambda",
        "period": 60,
        "statistic": "Sum",
        "threshold": 1,
    }
    aws.cloudwatch.MetricAlarm(name, **{**good, **arguments})


DATA: Final[Mapping[str, Case]] = {
    "bucket-with-upper-case": lambda name, _: aws.s3.Bucket(name, bucket="Acme-Raw-Data"),
    "bucket-of-two-characters": lambda name, _: aws.s3.Bucket(name, bucket="ab"),
    "bucket-named-as-an-address": lambda name, _: aws.s3.Bucket(name, bucket="192.168.5.4"),
    "lifecycle-to-infrequent-access-before-30-days": lambda name, _: _object_rule(
        name, transitions=[{"days": 10, "storage_class": "STANDARD_IA"}]
    ),
    "lifecycle-that-expires-before-its-transition": lambda name, _: _object_rule(
        name, transitions=[{"days": 60, "storage_class": "GLACIER"}], expiration={"days": 30}
    ),
    "lifecycle-without-an-action": lambda name, _: _object_rule(name),
    "lifecycle-with-a-storage-class-that-is-none": lambda name, _: _object_rule(
        name, transitions=[{"days": 60, "storage_class": "COLD"}]
    ),
    "object-lock-without-a-period": lambda name, _: aws.s3.BucketObjectLockConfiguration(
        name,
        bucket=aws.s3.Bucket(f"{name}-of", object_lock_enabled=True).id,
        rule={"default_retention": {"mode": "GOVERNANCE"}},
    ),
    "bucket-policy-for-another-bucket": lambda name, _: aws.s3.BucketPolicy(
        name,
        bucket=aws.s3.Bucket(f"{name}-of").id,
        policy=document(
            Effect="Deny", Principal="*", Action="s3:*", Resource="arn:aws:s3:::someone-elses-bucket/*"
        ),
    ),
    "encryption-with-a-key-for-aes": lambda name, _: aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        bucket=aws.s3.Bucket(f"{name}-of").id,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "AES256",
                    "kms_master_key_id": "arn:aws:kms:us-west-2:123456789012:key/none",
                }
            }
        ],
    ),
    "repository-with-upper-case": lambda name, _: aws.ecr.Repository(name, name="Platform/Image"),
    "lifecycle-of-images-by-an-unknown-unit": lambda name, _: _lifecycle(
        name,
        {
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "hours",
                "countNumber": 1,
            }
        },
    ),
    "lifecycle-of-tagged-images-without-a-tag": lambda name, _: _lifecycle(
        name, {"selection": {"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1}}
    ),
    "database-with-a-reserved-user": lambda name, _: _database(name, username="rdsadmin"),
    "database-of-5-gb": lambda name, _: _database(name, allocated_storage=5, storage_type="gp3"),
    "database-of-a-class-that-is-none": lambda name, _: _database(name, instance_class="db.t4g.mini"),
    "database-with-backups-of-40-days": lambda name, _: _database(name, backup_retention_period=40),
    "database-whose-windows-overlap": lambda name, _: _database(
        name,
        backup_retention_period=7,
        backup_window="03:00-04:00",
        maintenance_window="sun:03:30-sun:04:30",
    ),
    "parameter-group-of-an-unknown-family": lambda name, _: aws.rds.ParameterGroup(name, family="postgres99"),
    "parameter-group-with-an-unknown-parameter": lambda name, _: aws.rds.ParameterGroup(
        name, family="postgres16", parameters=[{"name": "rds.force_tls", "value": "1"}]
    ),
    "subnet-group-with-one-zone": lambda name, base: aws.rds.SubnetGroup(
        name, subnet_ids=base.subnet_ids[:1]
    ),
    "table-with-an-attribute-that-no-key-has": lambda name, _: _table(
        name, attributes=[{"name": "id", "type": "S"}, {"name": "other", "type": "S"}]
    ),
    "table-with-an-unknown-type": lambda name, _: _table(name, attributes=[{"name": "id", "type": "T"}]),
    "table-without-capacity-to-read": lambda name, _: _table(
        name, billing_mode="PROVISIONED", read_capacity=0, write_capacity=1
    ),
    "ttl-without-an-attribute": lambda name, _: _table(name, ttl={"enabled": True}),
    "workgroup-that-scans-at-most-1-mb": lambda name, _: aws.athena.Workgroup(
        name, configuration={"bytes_scanned_cutoff_per_query": 1_000_000}
    ),
    "glue-job-with-an-unknown-worker": lambda name, base: aws.glue.Job(
        name,
        role_arn=base.node_role_arn,
        command={"name": "glueetl", "script_location": "s3://code/job.py"},
        glue_version="5.0",
        worker_type="G.3X",
        number_of_workers=2,
    ),
    "glue-database-with-upper-case": lambda name, _: aws.glue.CatalogDatabase(name, name="Raw-Data"),
}

EVENTS: Final[Mapping[str, Case]] = {
    "log-group-kept-100-days": lambda name, _: aws.cloudwatch.LogGroup(name, retention_in_days=100),
    "log-group-with-a-space": lambda name, _: aws.cloudwatch.LogGroup(name, name="platform logs"),
    "rule-with-a-cron-of-five-fields": lambda name, _: aws.cloudwatch.EventRule(
        name, schedule_expression="cron(0 12 * * *)"
    ),
    "rule-with-one-minutes": lambda name, _: aws.cloudwatch.EventRule(
        name, schedule_expression="rate(1 minutes)"
    ),
    "rule-whose-pattern-is-no-list": lambda name, _: aws.cloudwatch.EventRule(
        name, event_pattern=json.dumps({"source": "aws.s3"})
    ),
    "rule-with-neither-pattern-nor-schedule": lambda name, _: aws.cloudwatch.EventRule(name),
    "rule-with-an-unknown-matcher": lambda name, _: aws.cloudwatch.EventRule(
        name, event_pattern=json.dumps({"source": [{"begins": "aws."}]})
    ),
    "schedule-in-an-unknown-zone": lambda name, base: _schedule(
        name, schedule_expression_timezone="Europe/Berln"
    ),
    "schedule-with-a-window-of-two-days": lambda name, base: _schedule(
        name, flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": 2880}
    ),
    "queue-kept-15-days": lambda name, _: aws.sqs.Queue(name, message_retention_seconds=1_296_000),
    "queue-whose-dead-letter-queue-is-none": lambda name, _: aws.sqs.Queue(
        name,
        redrive_policy=json.dumps(
            {"deadLetterTargetArn": "arn:aws:sqs:us-west-2:123456789012:none", "maxReceiveCount": 3}
        ),
    ),
    "queue-with-deduplication-and-no-fifo": lambda name, _: aws.sqs.Queue(
        name, content_based_deduplication=True
    ),
    "subscription-by-an-unknown-protocol": lambda name, _: aws.sns.TopicSubscription(
        name, topic=aws.sns.Topic(f"{name}-of").arn, protocol="queue", endpoint="arn:aws:sqs:x"
    ),
    "subscription-of-an-address-that-is-none": lambda name, _: aws.sns.TopicSubscription(
        name, topic=aws.sns.Topic(f"{name}-of").arn, protocol="email", endpoint="platform"
    ),
    "alarm-with-a-period-of-45-seconds": lambda name, _: _alarm(name, period=45),
    "alarm-with-two-statistics": lambda name, _: _alarm(name, extended_statistic="p99"),
    "alarm-of-more-points-than-periods": lambda name, _: _alarm(name, datapoints_to_alarm=2),
    "budget-of-a-week": lambda name, _: aws.budgets.Budget(
        name, budget_type="COST", limit_amount="100", limit_unit="USD", time_unit="WEEKLY"
    ),
    "budget-whose-notification-has-no-subscriber": lambda name, _: aws.budgets.Budget(
        name,
        budget_type="COST",
        limit_amount="100",
        limit_unit="USD",
        time_unit="MONTHLY",
        notifications=[
            {
                "comparison_operator": "GREATER_THAN",
                "threshold": 80,
                "threshold_type": "PERCENTAGE",
                "notification_type": "ACTUAL",
            }
        ],
    ),
}

CASES: Final[Mapping[str, Case]] = {**DATA, **EVENTS}
