"""A runner: programs on it reach the private endpoints of a network."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs
from aiplatform.runner.args import RunnerArgs, RunnerSettings
from aiplatform.runner.outputs import RunnerOutputs

__all__ = [
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
    "Runner",
    "RunnerArgs",
    "RunnerOutputs",
]


class Runner(ComponentResource):
    """A CodeBuild project in a network's private subnets, on demand: between two runs nothing runs, costs or
    needs patches. It can assume the deployer's role and no other, and accepts no connections.

    Start a run with `aws codebuild start-build --project-name {prefix}-runner`. A principal that may start a
    run decides what it does, and so acts as the deployer: grant codebuild:StartBuild on the project to
    deployers only.

    Jobs of GitHub Actions run on a second project, `{prefix}-jobs`, in the same subnets. Its role can assume
    no other role: a job gets the deployer's role by OpenID Connect, from a GitHub environment with rules that
    you set.
    """

    name: Output[str]
    """The project's name."""
    arn: Output[str]
    """The project's arn."""
    role_arn: Output[str]
    """The role of the runner, which the trust policy of the deployer's role must allow."""
    security_group_id: Output[str]
    """Its security group, which the cluster's API endpoint must allow."""
    log_group_name: Output[str]
    """The log group of its runs."""
    kms_key_arn: Output[str]
    """The key that encrypts its logs."""

    def __init__(self, name: str, args: RunnerArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(RunnerSettings, args, "RunnerArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.runner import aws

        super().__init__("aiplatform:index:Runner", name, {}, opts)
        built = aws.build(self, name, settings)
        self.outputs: RunnerOutputs = {
            "name": built.project.name,
            "arn": built.project.arn,
            "role_arn": built.role.arn,
            "security_group_id": built.security_group.id,
            "log_group_name": built.log_group.name,
            "kms_key_arn": built.key.arn,
        }
        publish(self, self.outputs)
