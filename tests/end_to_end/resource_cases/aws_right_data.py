"""Data and events that AWS accepts, though they are unusual: values at a limit, rare forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from tests.end_to_end.plain import Base, trust

Case = Callable[[str, Base], Any]


def _role(name: str, service: str, **arguments: Any) -> aws.iam.Role:
    return aws.iam.Role(f"{name}-role", assume_role_policy=trust(f"{service}.amazonaws.com"), **arguments)


def _lifecycle(name: str, **rule: Any) -> None:
    bucket = aws.s3.Bucket(f"{name}-of")
    rules: Any = [{"id": "rule", "status": "Enabled", "filter": {}, **rule}]
    aws.s3.BucketLifecycleConfiguration(name, bucket=bucket.id, rules=rules)


def _notification(name: str) -> None:
    bucket = aws.s3.Bucket(f"{name}-of")
    queue = aws.sqs.Queue(f"{name}-of")
    policy = aws.sqs.QueuePolicy(
        f"{name}-of",
        queue_url=queue.id,
        policy=pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "s3.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": queue.arn,
                        "Condition": {"ArnEquals": {"aws:SourceArn": bucket.arn}},
                    }
                ],
            }
        ),
    )
    aws.s3.BucketNotification(
        name,
        bucket=bucket.id,
        queues=[
            {
                "queue_arn": queue.arn,
                "events": ["s3:ObjectCreated:Put", "s3:ObjectCreated:CompleteMultipartUpload"],
                "filter_prefix": "raw/",
                "filter_suffix": ".parquet",
            }
        ],
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )


def _schedule(name: str, **arguments: Any) -> None:
    target: Any = {
        "arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
        "role_arn": _role(name, "scheduler").arn,
        "input": "{}",
        "retry_policy": {"maximum_event_age_in_seconds": 60, "maximum_retry_attempts": 0},
    }
    aws.scheduler.Schedule(name, target=target, **arguments)


DATA: Final[Mapping[str, Case]] = {
    "lifecycle-by-a-date": lambda name, _: _lifecycle(name, expiration={"date": "2030-01-01T00:00:00Z"}),
    "lifecycle-of-unfinished-uploads": lambda name, _: _lifecycle(
        name, abort_incomplete_multipart_upload={"days_after_initiation": 1}
    ),
    "lifecycle-of-old-versions-by-tag-and-size": lambda name, _: _lifecycle(
        name,
        filter={"and": {"prefix": "raw/", "tags": {"team": "ml"}, "object_size_greater_than": 500}},
        noncurrent_version_expiration={"noncurrent_days": 1, "newer_noncurrent_versions": 3},
        noncurrent_version_transitions=[{"noncurrent_days": 0, "storage_class": "GLACIER_IR"}],
    ),
    "notification-with-prefix-and-suffix": lambda name, _: _notification(name),
    "lifecycle-of-images-by-patterns": lambda name, _: aws.ecr.LifecyclePolicy(
        name,
        repository=aws.ecr.Repository(f"{name}-of", name="team_one/image-a.b/c").name,
        policy=json.dumps(
            {
                "rules": [
                    {
                        "rulePriority": 999,
                        "selection": {
                            "tagStatus": "tagged",
                            "tagPatternList": ["dev-*", "*-rc"],
                            "countType": "imageCountMoreThan",
                            "countNumber": 1,
                        },
                        "action": {"type": "expire"},
                    }
                ]
            }
        ),
    ),
    "table-with-a-local-index": lambda name, _: aws.dynamodb.Table(
        name,
        billing_mode="PROVISIONED",
        read_capacity=1,
        write_capacity=1,
        hash_key="team",
        range_key="at",
        attributes=[
            {"name": "team", "type": "S"},
            {"name": "at", "type": "N"},
            {"name": "model", "type": "S"},
        ],
        local_secondary_indexes=[
            {
                "name": "models",
                "range_key": "model",
                "projection_type": "INCLUDE",
                "non_key_attributes": ["x"],
            }
        ],
        ttl={"enabled": True, "attribute_name": "ends"},
        stream_enabled=True,
        stream_view_type="NEW_AND_OLD_IMAGES",
    ),
    "database-with-adjacent-windows": lambda name, base: aws.rds.Instance(
        name,
        engine="postgres",
        engine_version="16",
        instance_class="db.t4g.micro",
        allocated_storage=20,
        max_allocated_storage=100,
        storage_type="gp3",
        username="platform",
        manage_master_user_password=True,
        skip_final_snapshot=True,
        backup_retention_period=35,
        backup_window="03:00-04:00",
        maintenance_window="sun:04:00-sun:05:00",
        db_subnet_group_name=aws.rds.SubnetGroup(f"{name}-of", subnet_ids=base.subnet_ids).name,
    ),
    "parameter-group-after-a-reboot": lambda name, _: aws.rds.ParameterGroup(
        name,
        family="postgres16",
        parameters=[
            {"name": "rds.force_ssl", "value": "1"},
            {"name": "max_connections", "value": "200", "apply_method": "pending-reboot"},
        ],
    ),
    "workgroup-at-its-lowest-limit": lambda name, _: aws.athena.Workgroup(
        name,
        force_destroy=True,
        configuration={
            "bytes_scanned_cutoff_per_query": 10_485_760,
            "engine_version": {"selected_engine_version": "Athena engine version 3"},
        },
    ),
    "glue-database-with-repeated-underscores": lambda name, _: aws.glue.CatalogDatabase(
        name, name="raw__data_2"
    ),
    "database-with-a-window-in-capitals": lambda name, base: aws.rds.Instance(
        name,
        engine="postgres",
        instance_class="db.t4g.micro",
        allocated_storage=20,
        username="platform",
        manage_master_user_password=True,
        performance_insights_enabled=True,
        skip_final_snapshot=True,
        maintenance_window="Mon:05:00-Mon:06:00",
        db_subnet_group_name=aws.rds.SubnetGroup(f"{name}-of", subnet_ids=base.subnet_ids).name,
    ),
    "glue-job-without-the-name-of-its-command": lambda name, _: aws.glue.Job(
        name, role_arn=_role(name, "glue").arn, command={"script_location": "s3://code/job.py"}
    ),
    "glue-job-of-a-shell": lambda name, _: aws.glue.Job(
        name,
        role_arn=_role(name, "glue").arn,
        max_capacity=0.0625,
        command={"name": "pythonshell", "python_version": "3.9", "script_location": "s3://code/job.py"},
    ),
}

EVENTS: Final[Mapping[str, Case]] = {
    "queue-with-defaults": lambda name, _: aws.sqs.Queue(name),
    "log-group-kept-for-ever": lambda name, _: aws.cloudwatch.LogGroup(
        name, name="/acme/a__b#1", retention_in_days=0, log_group_class="INFREQUENT_ACCESS"
    ),
    "rule-on-the-last-day": lambda name, _: aws.cloudwatch.EventRule(
        name, schedule_expression="cron(0/15 8-17 L * ? 2027-2030)"
    ),
    "rule-on-the-second-friday": lambda name, _: aws.cloudwatch.EventRule(
        name, schedule_expression="cron(30 9 ? JAN,JUL FRI#2 *)"
    ),
    "rule-with-every-matcher": lambda name, _: aws.cloudwatch.EventRule(
        name,
        event_pattern=json.dumps(
            {
                "source": ["aws.s3", {"prefix": "acme."}],
                "detail": {
                    "size": [{"numeric": [">", 0, "<=", 1_000_000]}],
                    "error": [{"exists": False}],
                    "key": [{"wildcard": "raw/*.csv"}, {"suffix": ".json"}],
                    "state": [{"anything-but": {"prefix": "test"}}],
                    "region": [{"equals-ignore-case": "US-WEST-2"}],
                    "ip": [{"cidr": "10.0.0.0/24"}],
                    "$or": [{"a": [1]}, {"b": [None, ""]}],
                },
            }
        ),
    ),
    "schedule-of-one-time": lambda name, _: _schedule(
        name,
        schedule_expression="at(2030-01-01T08:00:00)",
        schedule_expression_timezone="America/Argentina/Buenos_Aires",
        flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": 1440},
    ),
    "queue-of-high-throughput": lambda name, _: aws.sqs.Queue(
        name,
        name="acme__queue.fifo",
        fifo_queue=True,
        content_based_deduplication=True,
        deduplication_scope="messageGroup",
        fifo_throughput_limit="perMessageGroupId",
        message_retention_seconds=60,
        visibility_timeout_seconds=43_200,
        delay_seconds=900,
    ),
    "alarm-on-a-percentile": lambda name, _: aws.cloudwatch.MetricAlarm(
        name,
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        metric_name="Duration",
        namespace="AWS/Lambda",
        period=300,
        extended_statistic="p99.9",
        threshold=1,
    ),
    "budget-of-a-quarter": lambda name, _: aws.budgets.Budget(
        name,
        budget_type="COST",
        limit_amount="100.5",
        limit_unit="USD",
        time_unit="QUARTERLY",
        cost_filters=[{"name": "TagKeyValue", "values": ["user:team$ml"]}],
        notifications=[
            {
                "comparison_operator": "GREATER_THAN",
                "threshold": 100,
                "threshold_type": "PERCENTAGE",
                "notification_type": "FORECASTED",
                "subscriber_email_addresses": ["owners@acme.example"],
            }
        ],
    ),
}

CASES: Final[Mapping[str, Case]] = {**DATA, **EVENTS}
