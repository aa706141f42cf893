"""The runner on AWS: CodeBuild projects with interfaces in the network's private subnets, one for runs that
are started by CodeBuild's API and, where workflows are named, one for jobs of GitHub Actions."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import cloudwatch, codebuild, ec2, iam, kms, vpc

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import log_group, name_key
from aiplatform._shared.aws.policy_documents import (
    USE_OF_KEY,
    Statement,
    allow,
    key_policy,
    logs_may_use_key,
    trust,
)
from aiplatform._shared.aws.roles import ServiceRole, service_role
from aiplatform._shared.context import Context
from aiplatform._shared.outputs import Tags, checked, mapped, mapped_list, merged
from aiplatform.naming import PhysicalName
from aiplatform.runner.args import (
    ACTOR,
    BUILDSPEC,
    DEPLOYER,
    GROUP,
    JOBS_LOGS,
    JOBS_PROJECT,
    JOBS_ROLE,
    KEY_ALIAS,
    LOGS,
    PROJECT,
    ROLE,
    SIZES,
    RunnerSettings,
)

_ALL_ADDRESSES = "0.0.0.0/0"


@dataclass(frozen=True)
class _Purpose:
    """The purpose of a project, with its names."""

    stem: str
    """Suffix of the component's name in logical names."""
    project: PhysicalName
    role: PhysicalName
    logs: PhysicalName
    assumes_deployer: bool


# IAM controls the principals that may call codebuild:StartBuild, so these runs may assume the deployer's
# role.
_RUNS = _Purpose("", PROJECT, ROLE, LOGS, assumes_deployer=True)
# CodeBuild starts a job for anyone who can push a branch: its only condition is the name of the workflow,
# which the file in that branch states itself (CodeBuild API reference, WebhookFilter).
_JOBS = _Purpose("-jobs", JOBS_PROJECT, JOBS_ROLE, JOBS_LOGS, assumes_deployer=False)


@dataclass(frozen=True)
class Built:
    """A project, and what the component's outputs need of its resources."""

    project: codebuild.Project
    role: iam.Role
    security_group: ec2.SecurityGroup
    log_group: cloudwatch.LogGroup
    key: Key


@dataclass(frozen=True)
class RunnerContext(Context[RunnerSettings]):
    """The component, its settings, and the account and region of its provider."""

    account: Account

    @property
    def purposes(self) -> list[_Purpose]:
        """What it has projects for."""
        return [_RUNS, _JOBS] if self.settings.github_workflows else [_RUNS]


def build(component: pulumi.ComponentResource, name: str, settings: RunnerSettings) -> Built:
    """Create the runner's resources as children of `component`. A project comes last: CodeBuild checks the
    permissions of its role when it is created."""
    context = RunnerContext(component, name, settings, account_of(component))
    key = _key(context)
    group, egress = _security_group(context)
    runs, *jobs = [_project_with_role(context, purpose, key, group, egress) for purpose in context.purposes]
    for built in jobs:
        _webhook(context, built.project)
    return runs


def _project_with_role(
    context: RunnerContext, purpose: _Purpose, key: Key, group: ec2.SecurityGroup, egress: pulumi.Resource
) -> Built:
    """Create one project with its role and its logs."""
    log_group = _log_group(context, purpose, key)
    role = _role(context, purpose, key)
    project = _project(context, purpose, role.role, key, log_group, group, [*role.policies, egress])
    return Built(project, role.role, group, log_group, key)


def _tags(context: RunnerContext) -> Tags:
    return merged(context.settings.tags, {"Name": f"{context.settings.prefix}-runner"})


def _key(context: RunnerContext) -> Key:
    stated = context.settings.kms_key
    if stated is not None:
        return existing_key(stated, context.account, "RunnerArgs.kms_key")
    logs = [purpose.logs.of(context.settings.prefix) for purpose in context.purposes]
    key = kms.Key(
        f"{context.name}-key",
        description=f"Logs of {PROJECT.of(context.settings.prefix)}",
        enable_key_rotation=True,
        policy=key_policy(context.account, logs_may_use_key(context.account, *logs)),
        tags=_tags(context),
        opts=context.options(retain=context.settings.retain_data),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(context.settings.prefix), context.options())
    return Key(key.arn)


def _log_group(context: RunnerContext, purpose: _Purpose, key: Key) -> cloudwatch.LogGroup:
    return log_group(
        f"{context.name}{purpose.stem}-logs",
        purpose.logs.of(context.settings.prefix),
        context.settings.log_retention_days,
        key,
        context.settings.tags,
        context.options(retain=context.settings.retain_data),
    )


def _security_group(context: RunnerContext) -> tuple[ec2.SecurityGroup, pulumi.Resource]:
    """Ingress: none. Egress: HTTPS, to the cluster's API, to AWS and to the repository, whose addresses
    change. Security groups do not limit queries to the resolver of the VPC."""
    group = ec2.SecurityGroup(
        f"{context.name}-security-group",
        name_prefix=GROUP.of(context.settings.prefix),
        description="Runs of the runner",
        vpc_id=context.settings.network.vpc_id,
        tags=_tags(context),
        opts=context.options(),
    )
    rule = vpc.SecurityGroupEgressRule(
        f"{context.name}-https",
        security_group_id=group.id,
        description="HTTPS to the cluster, to AWS and to the repository",
        cidr_ipv4=_ALL_ADDRESSES,
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        tags=_tags(context),
        opts=context.options(),
    )
    return group, rule


def _role(context: RunnerContext, purpose: _Purpose, key: Key) -> ServiceRole:
    """Create the role, which only its own project can use, by the two conditions against the confused deputy
    (CodeBuild user guide, "Cross-service confused deputy prevention")."""
    project = purpose.project.of(context.settings.prefix)
    more = ", the deployer's role" if purpose.assumes_deployer else ""
    return service_role(
        f"{context.name}{purpose.stem}-role",
        parent=context.parent,
        role_name=purpose.role.of(context.settings.prefix),
        policy_name="run",
        statements=_statements(context, purpose, key),
        description=f"Runs of {project}: logs, interfaces in the network{more}",
        trust=trust(
            "codebuild.amazonaws.com",
            {
                "StringEquals": {"aws:SourceAccount": context.account.account_id},
                "ArnEquals": {"aws:SourceArn": context.account.arn("codebuild", f"project/{project}")},
            },
        ),
        tags=context.settings.tags,
        opts=ResourceOptions(delete_before_replace=True),
    )


def _statements(context: RunnerContext, purpose: _Purpose, key: Key) -> Output[list[Statement]]:
    known = Output.all(
        key=key.arn,
        deployer=context.settings.deployer_role_arn,
        connection=context.settings.connection_arn,
        subnets=context.settings.network.private_subnet_ids,
    )
    return known.apply(lambda values: _permissions(context, purpose, **values))


def _permissions(
    context: RunnerContext,
    purpose: _Purpose,
    *,
    key: str,
    deployer: str,
    subnets: list[str],
    connection: str | None,
) -> list[Statement]:
    """Return the permissions of a run before it assumes the deployer's role, or all permissions of a job
    (CodeBuild user guide, "Create a CodeBuild service role", "Allow CodeBuild access to AWS services required
    to create a VPC network interface", "Grant CodeBuild project IAM role access to use the connection")."""
    logs = context.account.arn("logs", f"log-group:{purpose.logs.of(context.settings.prefix)}:*")
    subnet_arns = [context.account.arn("ec2", f"subnet/{subnet}") for subnet in subnets]
    assume_deployer = [allow(["sts:AssumeRole"], deployer, sid="BecomeDeployer")]
    statements = [
        *(assume_deployer if purpose.assumes_deployer else []),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs, sid="WriteLogs"),
        allow(list(USE_OF_KEY), key, sid="UseKey"),
        # `*` for actions that describe: they have no resource-level permissions. Actions that create need
        # every resource that they name (Service Authorization Reference, "Actions defined by Amazon EC2").
        allow(
            [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            "*",
            sid="SeeNetwork",
        ),
        allow(
            ["ec2:CreateNetworkInterface"],
            [
                context.account.arn("ec2", "network-interface/*"),
                context.account.arn("ec2", "security-group/*"),
                *subnet_arns,
            ],
            sid="MakeInterfaces",
        ),
        allow(
            ["ec2:DeleteNetworkInterface"],
            context.account.arn("ec2", "network-interface/*"),
            sid="RemoveInterfaces",
        ),
        allow(
            ["ec2:CreateNetworkInterfacePermission"],
            context.account.arn("ec2", "network-interface/*"),
            {
                "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
                "ArnEquals": {"ec2:Subnet": subnet_arns},
            },
            sid="LendInterfaces",
        ),
    ]
    if connection:
        service = connection.split(":")[2]
        actions = [f"{service}:GetConnection", f"{service}:GetConnectionToken"]
        statements.append(allow(actions, connection, sid="FetchSource"))
    return statements


def _project(
    context: RunnerContext,
    purpose: _Purpose,
    role: iam.Role,
    key: Key,
    log_group: cloudwatch.LogGroup,
    group: ec2.SecurityGroup,
    depends_on: list[pulumi.Resource],
) -> codebuild.Project:
    settings = context.settings
    # A workflow sets the variables of its jobs itself.
    variables = (
        {DEPLOYER: settings.deployer_role_arn, **settings.environment_variables}
        if purpose.assumes_deployer
        else {}
    )
    return codebuild.Project(
        f"{context.name}{purpose.stem}-project",
        name=purpose.project.of(settings.prefix),
        description=f"Runs programs inside the network of {settings.prefix}",
        service_role=role.arn,
        source=_source(context),
        source_version=settings.revision,
        artifacts=codebuild.ProjectArtifactsArgs(type="NO_ARTIFACTS"),
        environment=codebuild.ProjectEnvironmentArgs(
            type="LINUX_CONTAINER",
            compute_type=mapped(settings.size, lambda size: SIZES[size]),
            image=settings.image,
            image_pull_credentials_type=mapped(
                settings.image,
                lambda image: "CODEBUILD" if image.startswith("aws/codebuild/") else "SERVICE_ROLE",
            ),
            privileged_mode=False,
            environment_variables=[
                codebuild.ProjectEnvironmentEnvironmentVariableArgs(name=name, value=value)
                for name, value in variables.items()
            ],
        ),
        vpc_config=codebuild.ProjectVpcConfigArgs(
            vpc_id=settings.network.vpc_id,
            subnets=settings.network.private_subnet_ids,
            security_group_ids=[group.id],
        ),
        logs_config=codebuild.ProjectLogsConfigArgs(
            cloudwatch_logs=codebuild.ProjectLogsConfigCloudwatchLogsArgs(
                status="ENABLED", group_name=log_group.name
            )
        ),
        encryption_key=key.arn,
        build_timeout=settings.timeout_minutes,
        # One more job would be refused, and wait for ever; beyond the account's limit it queues.
        concurrent_build_limit=settings.concurrent_runs if purpose.assumes_deployer else None,
        tags=settings.tags,
        # A project name is unique in the account: the old project is deleted first.
        opts=context.options(*depends_on, delete_before_replace=True),
    )


def _source(context: RunnerContext) -> codebuild.ProjectSourceArgs:
    settings = context.settings
    if settings.repository is None:
        return codebuild.ProjectSourceArgs(type="NO_SOURCE", buildspec=settings.buildspec)
    return codebuild.ProjectSourceArgs(
        type=settings.source_type,
        location=settings.repository,
        buildspec=settings.buildspec or BUILDSPEC,
        git_clone_depth=1,
        auth=codebuild.ProjectSourceAuthArgs(type="CODECONNECTIONS", resource=settings.connection_arn)
        if settings.connection_arn
        else None,
    )


def _webhook(context: RunnerContext, project: codebuild.Project) -> None:
    """Create the webhook by which GitHub reports jobs that wait for a runner."""
    actors = context.settings.github_actors
    pattern = mapped_list(actors, _any_of)
    actor_filter = [codebuild.WebhookFilterGroupFilterArgs(type="ACTOR_ACCOUNT_ID", pattern=pattern)]
    codebuild.Webhook(
        f"{context.name}-jobs",
        project_name=project.name,
        build_type="BUILD",
        filter_groups=[
            codebuild.WebhookFilterGroupArgs(
                filters=[
                    codebuild.WebhookFilterGroupFilterArgs(type="EVENT", pattern="WORKFLOW_JOB_QUEUED"),
                    codebuild.WebhookFilterGroupFilterArgs(
                        type="WORKFLOW_NAME", pattern=mapped(workflow, lambda name: f"^{_literal(name)}$")
                    ),
                    *(actor_filter if actors else []),
                ]
            )
            for workflow in context.settings.github_workflows
        ],
        opts=context.options(),
    )


def _any_of(actors: Sequence[str]) -> str:
    ids = [checked(actor, f"RunnerArgs.github_actors[{index}]", ACTOR) for index, actor in enumerate(actors)]
    return f"^({'|'.join(ids)})$"


def _literal(text: str) -> str:
    """Return the text as a regular expression: only special characters are escaped."""
    return "".join(f"\\{character}" if character in r".^$*+?{}[]\|()" else character for character in text)
