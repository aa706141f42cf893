"""The resources of a function on AWS, in the order of their dependencies."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi import Archive, FileArchive, Input, Output
from pulumi_aws import cloudwatch, ec2, iam, kms, lambda_, vpc

from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, document, key_policy, logs_may_use_key, trust
from aiplatform._shared.principals import declare
from aiplatform.function.args import ALIAS, LATEST, FunctionSettings
from aiplatform.function.aws.alarms import create_alarms
from aiplatform.function.aws.context import Context, context_of
from aiplatform.function.aws.events import create_dead_letters, create_rule, events_may_use_key
from aiplatform.function.aws.permissions import statements
from aiplatform.function.platform import Deployed


def create(parent: pulumi.ComponentResource, name: str, settings: FunctionSettings) -> Deployed:
    """Create the resources as children of the component."""
    context = context_of(parent, name, settings)
    key = _key(context)
    logs = cloudwatch.LogGroup(
        name,
        name=context.log_group,
        retention_in_days=settings.retention_days,
        kms_key_id=key,
        tags=settings.all_tags,
        opts=context.options(delete_before_replace=True),
    )
    role, policy = _role(context, key)
    dead_letters = create_dead_letters(context, key) if settings.event is not None else None
    function = _function(context, role, key, [policy, logs])
    alias = _alias(context, function)
    if dead_letters is not None:
        create_rule(context, alias, dead_letters, policy)
    url = _url(context, alias) if settings.http is not None else None
    create_alarms(context, dead_letters)
    return Deployed(
        target=alias.arn,
        url="" if url is None else url.function_url,
        principal=role,
        version=function.version,
        dead_letters="" if dead_letters is None else dead_letters.url,
        logs=logs.name,
        kms_key="" if key is None else key,
    )


def _key(context: Context) -> Input[str] | None:
    settings = context.settings
    if settings.kms_key is not None:
        return existing_key(settings.kms_key, context.account, "FunctionArgs.kms_key").arn
    if not settings.has_key:
        return None
    uses: list[Statement] = [logs_may_use_key(context.account, context.log_group)]
    if settings.event is not None:
        uses.append(events_may_use_key(context))
    key = kms.Key(
        f"{context.name}-key",
        description=f"Variables, logs and dead letters of {context.function}",
        enable_key_rotation=True,
        policy=key_policy(context.account, *uses),
        tags=settings.all_tags,
        opts=context.options(),
    )
    name_key(f"{context.name}-key", key, f"alias/{settings.prefix}-fn-{settings.name}", context.options())
    return key.arn


def _role(context: Context, key: Input[str] | None) -> tuple[Input[str], pulumi.Resource]:
    """Return the arn of the role, and its policy."""
    settings = context.settings
    if settings.role is None:
        name = f"{settings.prefix}-fn-{settings.name}"
        created = iam.Role(
            context.name,
            name=name,
            description=f"Code of {context.function}",
            assume_role_policy=trust("lambda.amazonaws.com"),
            tags=settings.all_tags,
            opts=context.options(delete_before_replace=True),
        )
        arn: Input[str] = declare(created.arn, context.account.arn("iam", f"role/{name}", regional=False))
        role: Input[str] = created.name
    else:
        arn = settings.role
        role = Output.from_input(arn).apply(lambda known: known.rpartition("/")[2])
    policy = iam.RolePolicy(
        context.name,
        name=f"{settings.prefix}-fn-{settings.name}",
        role=role,
        policy=statements(context, key).apply(lambda known: document(*known)),
        opts=context.options(),
    )
    return arn, policy


def _function(
    context: Context, role: Input[str], key: Input[str] | None, depends_on: Sequence[pulumi.Resource]
) -> lambda_.Function:
    settings = context.settings
    variables = settings.environment
    return lambda_.Function(
        context.name,
        name=context.function,
        description=f"Owner: {settings.owner}"[:256],
        role=role,
        **_code(settings),
        architectures=[settings.architecture],
        memory_size=settings.memory_mib,
        timeout=settings.timeout_seconds,
        reserved_concurrent_executions=settings.max_instances,
        # A version for each change, which the alias refers to.
        publish=True,
        kms_key_arn=key,
        environment=lambda_.FunctionEnvironmentArgs(variables=variables) if variables else None,
        logging_config=lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=context.log_group),
        tracing_config=lambda_.FunctionTracingConfigArgs(
            mode="Active" if settings.tracing else "PassThrough"
        ),
        vpc_config=_in_network(context),
        tags=settings.all_tags,
        # People and callers find it by its name.
        opts=context.options(*depends_on, delete_before_replace=True),
    )


def _code(settings: FunctionSettings) -> dict[str, Any]:
    package = settings.package
    if package is None:
        return {"package_type": "Image", "image_uri": settings.image}
    common = {"package_type": "Zip", "runtime": package.runtime, "handler": package.handler}
    if package.path is not None:
        code: Archive = FileArchive(package.path)
        return {**common, "code": code}
    return {
        **common,
        "s3_bucket": package.bucket,
        "s3_key": package.key,
        "s3_object_version": package.version,
    }


def _in_network(context: Context) -> lambda_.FunctionVpcConfigArgs | None:
    network = context.settings.network
    if network is None:
        return None
    group = ec2.SecurityGroup(
        context.name,
        name_prefix=f"{context.function}-",
        description=f"Network interfaces of {context.function}",
        vpc_id=network.vpc_id,
        tags=context.settings.all_tags,
        opts=context.options(),
    )
    # Nothing connects to a function. It connects to addresses of the network, and by TLS to others.
    vpc.SecurityGroupEgressRule(
        f"{context.name}-network",
        security_group_id=group.id,
        ip_protocol="tcp",
        from_port=0,
        to_port=65535,
        cidr_ipv4=network.cidr,
        description="To the network",
        opts=context.options(),
    )
    vpc.SecurityGroupEgressRule(
        f"{context.name}-tls",
        security_group_id=group.id,
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_ipv4="0.0.0.0/0",
        description="To APIs by TLS",
        opts=context.options(),
    )
    return lambda_.FunctionVpcConfigArgs(subnet_ids=network.private_subnet_ids, security_group_ids=[group.id])


def _alias(context: Context, function: lambda_.Function) -> lambda_.Alias:
    traffic = context.settings.traffic
    (main, *others) = sorted(traffic, key=lambda version: (version == LATEST, version)) or [LATEST]
    version: Input[str] = function.version if main == LATEST else main
    return lambda_.Alias(
        context.name,
        name=ALIAS,
        description="What events and requests go to",
        function_name=function.name,
        function_version=version,
        routing_config=function.version.apply(lambda latest: _routing(main, others, traffic, latest)),
        opts=context.options(),
    )


def _routing(
    main: str, others: Sequence[str], traffic: dict[str, int], latest: str
) -> lambda_.AliasRoutingConfigArgs | None:
    """Return the weight of the second version; None where both are one, which Lambda refuses."""
    weights = {latest if version == LATEST else version: traffic[version] / 100 for version in others}
    weights.pop(latest if main == LATEST else main, None)
    return lambda_.AliasRoutingConfigArgs(additional_version_weights=weights) if weights else None


_CALLS: Final[dict[str, dict[str, Any]]] = {
    "url": {"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "AWS_IAM"},
    # Required with the other one since October 2025 ("Control access to Lambda function URLs").
    "function": {"action": "lambda:InvokeFunction", "invoked_via_function_url": True},
}


def _url(context: Context, alias: lambda_.Alias) -> lambda_.FunctionUrl:
    """Create the URL, and a permission of each caller."""
    url = lambda_.FunctionUrl(
        context.name,
        function_name=alias.function_name,
        qualifier=alias.name,
        authorization_type="AWS_IAM",
        opts=context.options(),
    )
    http = context.settings.http
    for position, caller in enumerate(http.callers if http is not None else ()):
        key = _member(caller) if isinstance(caller, str) else str(position)
        for call, grant in _CALLS.items():
            lambda_.Permission(
                f"{context.name}-{key}-{call}",
                statement_id=_statement(key, call),
                function=alias.function_name,
                qualifier=alias.name,
                principal=caller,
                opts=context.options(url),
                **grant,
            )
    return url


def _statement(key: str, call: str) -> str:
    """Return the id of a permission's statement, at most 100 letters, digits, hyphens and underscores (Lambda
    API, AddPermission): the end of the caller, with a digest of the whole."""
    end = re.sub(r"[^a-zA-Z0-9_-]", "-", key)[-60:]
    return f"{end}-{call}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _member(caller: str) -> str:
    """Return what names a caller: two accounts may have a role of one name."""
    return caller.partition("::")[2].replace(":", "/")
