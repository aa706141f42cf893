"""Log groups of Glue jobs: Glue would create them at the first run, and keep logs forever."""

from typing import Final

from pulumi import Output
from pulumi_aws import cloudwatch, glue

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.logs import log_group
from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.names import JOB_LOGS, LOG_DAYS

_GROUPS: Final = ("error", "output")
"""Logs of Spark and of jobs; what the script prints (Glue developer guide, "Logging for AWS Glue jobs")."""


def create_job_logs(
    context: Context, purpose: str, role: ServiceRole, security: glue.SecurityConfiguration, key: Key
) -> list[cloudwatch.LogGroup]:
    """Create the log groups of the jobs that run with a role.

    purpose: the role's part of the logical names. Jobs with a security configuration that encrypts logs write
    to groups that Glue names by both, "configuration-role/role".
    """
    return [
        log_group(
            f"{context.name}-{purpose}-jobs-{group}",
            Output.concat(JOB_LOGS, security.name, "-role/", role.name, "/", group),
            LOG_DAYS,
            key,
            context.settings.tags,
            context.options(),
        )
        for group in _GROUPS
    ]
