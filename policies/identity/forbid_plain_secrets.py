"""Secrets of functions, containers, machines and databases are in secret stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from ..framework import Entry, Outcome, Policy, Properties, Resource, Violation, check_each
from ..framework.plain_secrets import (
    check_arguments,
    check_mapping,
    check_text,
    check_variables,
    parsed,
    setting_problem,
)
from ..framework.values import Hidden

POLICY = Policy(
    title="No secrets in clear text",
    severity="high",
    description="Every identity that is allowed to describe the resource reads its environment variables, "
    "startup scripts, arguments and parameters, and they appear in the console, in logs and in CloudTrail. A "
    "password that a person typed is in the program's history, and can be guessed.",
    remediation="Name the secret instead of its value: `secrets` with `valueFrom` on ECS and Batch, "
    "`valueSource.secretKeyRef` on Cloud Run, a SecureString, or a call of the secret manager by the "
    "workload's identity. Let the cloud create passwords of databases (`manageMasterUserPassword`), or "
    "generate them (random.RandomPassword).",
    frameworks=("NIST 800-53 IA-5(7)", "NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

Check = Callable[[Properties, str], Iterator[Outcome]]


def _entries(check: Callable[[Entry], Iterator[Outcome]]) -> Check:
    """Return the check of a list whose entries have this one."""
    return lambda properties, path: check_each(properties.entries(path), check)


def _check_tasks(properties: Properties, path: str) -> Iterator[Outcome]:
    yield from check_each(parsed(properties, path).entries(), _check_container)


def _check_job(properties: Properties, path: str) -> Iterator[Outcome]:
    job = parsed(properties, path)
    if isinstance(job.body, dict):
        yield from _check_container(job)
        yield from check_each(job.entries("taskProperties"), _check_nested)
        yield from check_each(job.entries("nodeRangeProperties"), _check_node)


def _check_nested(task: Entry) -> Iterator[Outcome]:
    yield from check_each(task.entries("containers"), _check_container)


def _check_node(node: Entry) -> Iterator[Outcome]:
    yield from check_each(node.entries("container"), _check_container)


def _check_container(container: Properties) -> Iterator[Outcome]:
    for path, check in _CONTAINER.items():
        yield from check_each([path], partial(check, container))


_CONTAINER: Final[Mapping[str, Check]] = {
    "environment": check_variables,
    "env": check_variables,
    "envs": check_variables,
    "entryPoint": check_arguments,
    "command": check_arguments,
    "commands": check_arguments,
    "args": check_arguments,
}
"""Where containers of ECS, Batch, Kubernetes jobs of Batch and Cloud Run have settings."""


def _check_build_variable(variable: Entry) -> Iterator[Outcome]:
    if variable.known("type") in (None, "PLAINTEXT"):
        yield from check_variables(variable, "")


def _check_model(container: Entry) -> Iterator[Outcome]:
    yield from check_mapping(container, "environment")


_MACHINE: Final[Mapping[str, Check]] = {"metadata": check_mapping, "metadataStartupScript": check_text}
_PLACES: Final[Mapping[str, Mapping[str, Check]]] = {
    "aws:lambda/function:Function": {"environment.variables": check_mapping},
    "aws:ecs/taskDefinition:TaskDefinition": {"containerDefinitions": _check_tasks},
    "aws:batch/jobDefinition:JobDefinition": {
        "containerProperties": _check_job,
        "ecsProperties": _check_job,
        "nodeProperties": _check_job,
        "eksProperties.podProperties.containers": _entries(_check_container),
        "parameters": check_mapping,
    },
    "aws:ec2/instance:Instance": {"userData": check_text, "userDataBase64": check_text},
    "aws:ec2/launchTemplate:LaunchTemplate": {"userData": check_text},
    "aws:ec2/launchConfiguration:LaunchConfiguration": {"userData": check_text, "userDataBase64": check_text},
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": {
        "userData": check_text,
        "userDataBase64": check_text,
    },
    "aws:amplify/app:App": {"environmentVariables": check_mapping},
    "aws:cloudformation/stack:Stack": {"parameters": check_mapping},
    "aws:elasticbeanstalk/environment:Environment": {"settings": check_variables},
    "aws:imagebuilder/component:Component": {"data": check_text},
    "aws:mwaa/environment:Environment": {"airflowConfigurationOptions": check_mapping},
    "aws:ssm/document:Document": {"content": check_text},
    "aws:codebuild/project:Project": {
        "environment.environmentVariables": _entries(_check_build_variable),
        "source.buildspec": check_text,
    },
    "aws:apprunner/service:Service": {
        "sourceConfiguration.imageRepository.imageConfiguration.runtimeEnvironmentVariables": check_mapping,
    },
    "aws:glue/job:Job": {"defaultArguments": check_mapping},
    "aws:glue/connection:Connection": {"connectionProperties": check_mapping},
    "aws:sagemaker/model:Model": {
        "primaryContainer.environment": check_mapping,
        "containers": _entries(_check_model),
    },
    "aws:sfn/stateMachine:StateMachine": {"definition": check_text},
    "aws:cloudwatch/eventTarget:EventTarget": {"input": check_text},
    "aws:scheduler/schedule:Schedule": {"target.input": check_text},
    "aws:sns/topicSubscription:TopicSubscription": {"endpoint": check_text},
    "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration": {
        "onCreate": check_text,
        "onStart": check_text,
    },
    "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass": {"spec.userData": check_text},
    "gcp:cloudrunv2/service:Service": {"template.containers": _entries(_check_container)},
    "gcp:cloudrunv2/workerPool:WorkerPool": {"template.containers": _entries(_check_container)},
    "gcp:cloudrunv2/job:Job": {"template.template.containers": _entries(_check_container)},
    "gcp:cloudrun/service:Service": {"template.spec.containers": _entries(_check_container)},
    "gcp:cloudfunctions/function:Function": {
        "environmentVariables": check_mapping,
        "buildEnvironmentVariables": check_mapping,
    },
    "gcp:cloudfunctionsv2/function:Function": {
        "serviceConfig.environmentVariables": check_mapping,
        "buildConfig.environmentVariables": check_mapping,
    },
    "gcp:cloudscheduler/job:Job": {"httpTarget.headers": check_mapping},
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": {"parameters": check_mapping},
    "gcp:dataflow/job:Job": {"parameters": check_mapping},
    "gcp:workbench/instance:Instance": {"gceSetup.metadata": check_mapping},
    "gcp:cloudbuild/trigger:Trigger": {"substitutions": check_mapping},
    "gcp:composer/environment:Environment": {"config.softwareConfig.envVariables": check_mapping},
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": {
        "modelConfig.containerSpec.envs": check_variables,
    },
    "gcp:workflows/workflow:Workflow": {"sourceContents": check_text, "userEnvVars": check_mapping},
    "gcp:compute/instance:Instance": _MACHINE,
    "gcp:compute/instanceTemplate:InstanceTemplate": _MACHINE,
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": _MACHINE,
    "gcp:compute/projectMetadata:ProjectMetadata": {"metadata": check_mapping},
    "gcp:container/nodePool:NodePool": {"nodeConfig.metadata": check_mapping},
}
"""Type -> property path of what can be read -> its check."""


@POLICY.on(*_PLACES)
def on_settings(resource: Resource) -> Iterator[Outcome]:
    """Settings, scripts and arguments with a secret."""
    for path, check in _PLACES[resource.type].items():
        yield from check_each([path], partial(check, resource))


@POLICY.on("aws:ssm/parameter:Parameter")
def on_parameters(resource: Resource) -> Iterator[Outcome]:
    """Parameters that are not encrypted."""
    if resource.known("type") == "SecureString":
        return
    name = resource.raw("name")
    last = name.rpartition("/")[2] if isinstance(name, str) else resource.name
    # The provider treats every `value` as a secret.
    for path in ("value", "insecureValue"):
        problem = setting_problem(last, resource.known(path), secrets=False)
        if problem:
            yield Violation(path, f"{problem}; the type is {resource.known('type')!r}, without encryption")
            return
    resource.known("name")


_DATABASES: Final[Mapping[str, str]] = {
    "aws:rds/instance:Instance": "password",
    "aws:rds/cluster:Cluster": "masterPassword",
    "aws:docdb/cluster:Cluster": "masterPassword",
    "aws:redshift/cluster:Cluster": "masterPassword",
    "aws:redshiftserverless/namespace:Namespace": "adminUserPassword",
    "aws:elasticache/replicationGroup:ReplicationGroup": "authToken",
    "aws:opensearch/domain:Domain": "advancedSecurityOptions.masterUserOptions.masterUserPassword",
    "aws:dms/endpoint:Endpoint": "password",
    "gcp:sql/user:User": "password",
    "gcp:sql/databaseInstance:DatabaseInstance": "rootPassword",
    "gcp:alloydb/cluster:Cluster": "initialUser.password",
    "gcp:alloydb/user:User": "password",
}
"""Type -> property path of the password of a database."""
# NIST SP 800-63B, 3.1.1.2: the shortest password where it is the only factor.
_SHORTEST: Final = 15
_TYPED: Final = ("password", "passw0rd", "secret", "changeme", "letmein", "welcome", "qwerty", "admin")


@POLICY.on(*_DATABASES)
def on_databases(resource: Resource) -> Iterator[Outcome]:
    """Passwords of databases that are typed, not generated. The SDK treats a literal as a secret as well, so
    that only its form shows who chose it."""
    path = _DATABASES[resource.type]
    value = resource.known(path)
    if not isinstance(value, str) or not value:
        return
    if not isinstance(value, Hidden):
        yield Violation(path, "is in clear text in the program and in its state")
    elif len(value) < _SHORTEST or any(word in value.lower() for word in _TYPED):
        yield Violation(path, f"can be guessed: it has fewer than {_SHORTEST} characters or a common word")
