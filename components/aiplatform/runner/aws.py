"""The runner on AWS: CodeBuild projects with interfaces in the network's private subnets, one for runs that
its API starts and, where workflows are named, one for jobs of GitHub Actions."""

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import cloudwatch, codebuild, ec2, iam, kms, vpc

from aiplatform._shared.aws.account import place
from aiplatform._shared.aws.logs import log_group, name_key
from aiplatform._shared.aws.policy_documents import (
    USE_OF_KEY,
    allow,
    document,
    key_policy,
    logs_may_use_key,
    trust,
)
from aiplatform.naming import PhysicalName
from aiplatform.runner.args import (
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

_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class _Purpose:
    """What one of the projects is for."""

    stem: str
    """What its logical names have after the component's."""
    project: PhysicalName
    role: PhysicalName
    logs: PhysicalName
    becomes_deployer: bool


# Who may call codebuild:StartBuild is for IAM to say, which the deployer's role can be entrusted to.
_RUNS = _Purpose("", PROJECT, ROLE, LOGS, becomes_deployer=True)
# CodeBuild starts a job for anyone who can push a branch: its only condition is the workflow's name, which
# the file in that branch says itself (CodeBuild API reference, WebhookFilter).
_JOBS = _Purpose("-jobs", JOBS_PROJECT, JOBS_ROLE, JOBS_LOGS, becomes_deployer=False)


@dataclass(frozen=True)
class Built:
    """What the component shows."""

    project: codebuild.Project
    role: iam.Role
    security_group: ec2.SecurityGroup
    log_group: cloudwatch.LogGroup
    key: kms.Key


class Builder:
    """Makes the runner's parts as children of one component."""

    def __init__(self, parent: pulumi.ComponentResource, name: str, settings: RunnerSettings) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.place = place(parent)
        self.purposes = [_RUNS, _JOBS] if settings.github_workflows else [_RUNS]

    def build(self) -> Built:
        """All of it. A project comes last: CodeBuild asks for its role's rights when it is made."""
        key = self._key()
        group, way_out = self._security_group()
        runs, *jobs = [self._serving(purpose, key, group, way_out) for purpose in self.purposes]
        for each in jobs:
            self._webhook(each.project)
        return runs

    def _serving(
        self, purpose: _Purpose, key: kms.Key, group: ec2.SecurityGroup, way_out: pulumi.Resource
    ) -> Built:
        """One project with its role and its logs."""
        log_group = self._log_group(purpose, key)
        role = self._role(purpose)
        rights = iam.RolePolicy(
            f"{self.name}{purpose.stem}-role",
            name="run",
            role=role.name,
            policy=self._policy(purpose, key),
            opts=self._options(),
        )
        project = self._project(purpose, role, key, log_group, group, [rights, way_out])
        return Built(project, role, group, log_group, key)

    def _options(
        self,
        *depends_on: pulumi.Resource,
        retain: bool = False,
        delete_before_replace: bool | None = None,
    ) -> ResourceOptions:
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            # None, not False: what an enclosing component says stays.
            retain_on_delete=True if retain else None,
            delete_before_replace=delete_before_replace,
        )

    def _tags(self) -> dict[str, str]:
        return {**self.settings.tags, "Name": f"{self.settings.prefix}-runner"}

    def _key(self) -> kms.Key:
        logs = [purpose.logs.of(self.settings.prefix) for purpose in self.purposes]
        key = kms.Key(
            f"{self.name}-key",
            description=f"Logs of {PROJECT.of(self.settings.prefix)}",
            enable_key_rotation=True,
            policy=key_policy(self.place, logs_may_use_key(self.place, *logs)),
            tags=self._tags(),
            opts=self._options(retain=self.settings.retain_data),
        )
        name_key(f"{self.name}-key", key, KEY_ALIAS.of(self.settings.prefix), self._options())
        return key

    def _log_group(self, purpose: _Purpose, key: kms.Key) -> cloudwatch.LogGroup:
        return log_group(
            f"{self.name}{purpose.stem}-logs",
            purpose.logs.of(self.settings.prefix),
            self.settings.log_retention_days,
            key,
            self.settings.tags,
            self._options(retain=self.settings.retain_data),
        )

    def _security_group(self) -> tuple[ec2.SecurityGroup, pulumi.Resource]:
        """In: nothing. Out: HTTPS, to the cluster's API, to AWS and to the repository, whose addresses
        change. The resolver of a VPC is asked in any case."""
        group = ec2.SecurityGroup(
            f"{self.name}-security-group",
            name_prefix=GROUP.of(self.settings.prefix),
            description="Runs of the runner",
            vpc_id=self.settings.network.vpc_id,
            tags=self._tags(),
            opts=self._options(),
        )
        rule = vpc.SecurityGroupEgressRule(
            f"{self.name}-https",
            security_group_id=group.id,
            description="HTTPS to the cluster, to AWS and to the repository",
            cidr_ipv4=_ANYWHERE,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=self._tags(),
            opts=self._options(),
        )
        return group, rule

    def _role(self, purpose: _Purpose) -> iam.Role:
        """Only its own project may use it: the confused deputy's two conditions (CodeBuild user guide,
        "Cross-service confused deputy prevention")."""
        project = purpose.project.of(self.settings.prefix)
        more = ", the deployer's role" if purpose.becomes_deployer else ""
        return iam.Role(
            f"{self.name}{purpose.stem}-role",
            name=purpose.role.of(self.settings.prefix),
            description=f"Runs of {project}: logs, interfaces in the network{more}",
            assume_role_policy=trust(
                "codebuild.amazonaws.com",
                {
                    "StringEquals": {"aws:SourceAccount": self.place.account_id},
                    "ArnEquals": {"aws:SourceArn": self.place.arn("codebuild", f"project/{project}")},
                },
            ),
            tags=self.settings.tags,
            opts=self._options(delete_before_replace=True),
        )

    def _policy(self, purpose: _Purpose, key: kms.Key) -> Output[str]:
        known = Output.all(
            key=key.arn,
            deployer=self.settings.deployer_role_arn,
            subnets=self.settings.network.private_subnet_ids,
        )
        return known.apply(
            lambda each: self._document(purpose, each["key"], each["deployer"], each["subnets"])
        )

    def _document(self, purpose: _Purpose, key: str, deployer: str, subnets: list[str]) -> str:
        """What a run may do before it becomes the deployer, and all that a job may (CodeBuild user guide,
        "Create a CodeBuild service role", "Allow CodeBuild access to AWS services required to create a VPC
        network interface", "Grant CodeBuild project IAM role access to use the connection")."""
        logs = self.place.arn("logs", f"log-group:{purpose.logs.of(self.settings.prefix)}:*")
        subnet_arns = [self.place.arn("ec2", f"subnet/{subnet}") for subnet in subnets]
        become = [allow(["sts:AssumeRole"], deployer, sid="BecomeDeployer")]
        statements = [
            *(become if purpose.becomes_deployer else []),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs, sid="WriteLogs"),
            allow(list(USE_OF_KEY), key, sid="UseKey"),
            # Where it says `*`: what describes knows no resources. What creates is asked for every resource
            # that it names (Service Authorization Reference, "Actions defined by Amazon EC2").
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
                    self.place.arn("ec2", "network-interface/*"),
                    self.place.arn("ec2", "security-group/*"),
                    *subnet_arns,
                ],
                sid="MakeInterfaces",
            ),
            allow(
                ["ec2:DeleteNetworkInterface"],
                self.place.arn("ec2", "network-interface/*"),
                sid="RemoveInterfaces",
            ),
            allow(
                ["ec2:CreateNetworkInterfacePermission"],
                self.place.arn("ec2", "network-interface/*"),
                {
                    "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
                    "ArnEquals": {"ec2:Subnet": subnet_arns},
                },
                sid="LendInterfaces",
            ),
        ]
        connection = self.settings.connection_arn
        if connection:
            service = connection.split(":")[2]
            actions = [f"{service}:GetConnection", f"{service}:GetConnectionToken"]
            statements.append(allow(actions, connection, sid="FetchSource"))
        return document(*statements)

    def _project(
        self,
        purpose: _Purpose,
        role: iam.Role,
        key: kms.Key,
        log_group: cloudwatch.LogGroup,
        group: ec2.SecurityGroup,
        depends_on: list[pulumi.Resource],
    ) -> codebuild.Project:
        settings = self.settings
        # A workflow names what its jobs need.
        variables = (
            {DEPLOYER: settings.deployer_role_arn, **settings.environment_variables}
            if purpose.becomes_deployer
            else {}
        )
        return codebuild.Project(
            f"{self.name}{purpose.stem}-project",
            name=purpose.project.of(settings.prefix),
            description=f"Runs programs inside the network of {settings.prefix}",
            service_role=role.arn,
            source=self._source(),
            source_version=settings.revision,
            artifacts=codebuild.ProjectArtifactsArgs(type="NO_ARTIFACTS"),
            environment=codebuild.ProjectEnvironmentArgs(
                type="LINUX_CONTAINER",
                compute_type=SIZES[settings.size],
                image=settings.image,
                image_pull_credentials_type="CODEBUILD"
                if settings.image.startswith("aws/codebuild/")
                else "SERVICE_ROLE",
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
            concurrent_build_limit=settings.concurrent_runs if purpose.becomes_deployer else None,
            tags=settings.tags,
            # Its name is an address, and may be there only once.
            opts=self._options(*depends_on, delete_before_replace=True),
        )

    def _source(self) -> codebuild.ProjectSourceArgs:
        settings = self.settings
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

    def _webhook(self, project: codebuild.Project) -> None:
        """GitHub reports a job that waits for a runner; CodeBuild runs it."""
        actors = "|".join(self.settings.github_actors)
        by_whom = [codebuild.WebhookFilterGroupFilterArgs(type="ACTOR_ACCOUNT_ID", pattern=f"^({actors})$")]
        codebuild.Webhook(
            f"{self.name}-jobs",
            project_name=project.name,
            build_type="BUILD",
            filter_groups=[
                codebuild.WebhookFilterGroupArgs(
                    filters=[
                        codebuild.WebhookFilterGroupFilterArgs(type="EVENT", pattern="WORKFLOW_JOB_QUEUED"),
                        codebuild.WebhookFilterGroupFilterArgs(
                            type="WORKFLOW_NAME", pattern=f"^{_literal(workflow)}$"
                        ),
                        *(by_whom if actors else []),
                    ]
                )
                for workflow in self.settings.github_workflows
            ],
            opts=self._options(),
        )


def _literal(text: str) -> str:
    """The text as a regular expression: only what means something in one is escaped."""
    return "".join(f"\\{each}" if each in r".^$*+?{}[]\|()" else each for each in text)
