"""Lambda: functions, who can call them, and what moto forgets of them.

Sources: the API Reference of CreateFunction, UpdateFunctionCode, AddPermission and Invoke; "Lambda quotas",
"Lambda runtimes" (deprecation policy) and "Defined runtime environment variables" in the Developer Guide.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.moto_wrapping import wrap
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_statements, principals, service_roles
from twin.aws.services.lambdas.process import usable
from twin.aws.services.servicequotas import operations as servicequotas
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

RUNTIMES: Final = frozenset(
    {"python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "nodejs22.x", "nodejs24.x"}
    | {"java11", "java17", "java21", "java25", "dotnet8", "dotnet10", "ruby3.2", "ruby3.3", "ruby3.4"}
    | {"ruby4.0", "provided.al2", "provided.al2023", "java8.al2"}
)
"""Runtimes that new functions may have; older ones are in the published model and are refused."""
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ZIP_BYTES: Final = 50 * 1024 * 1024
_VARIABLES: Final = 4096
"""Bytes that a function's variables have together."""
_RESERVED: Final = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|LAMBDA_\w+|ACCESS_KEY(_ID)?"
    r"|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(TASK_ROOT|RUNTIME_DIR)"
)
_CONDITIONS: Final = {
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}
"""Parameters of AddPermission -> operator and key of the condition that they become."""
_IN_VPC: Final = ("CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface")


def wrong(words: str) -> Refusal:
    """A value that Lambda does not take."""
    return Refusal("InvalidParameterValueException", words)


def create(params: Params, state: MotoState) -> None:
    """CreateFunction."""
    name = str(params.get("FunctionName"))
    if not _NAME.fullmatch(name.split(":")[-1]):
        raise Refusal(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64, of letters, digits, hyphens and underscores",
        )
    if find(state, name) is not None:
        raise Refusal("ResourceConflictException", f"Function already exist: {name}", 409)
    if params.get("PackageType", "Zip") == "Zip":
        for member in ("Handler", "Runtime"):
            if not params.get(member):
                raise wrong(
                    "Runtime and Handler are mandatory parameters for functions created with "
                    "deployment packages."
                )
    _code(params.get("Code") or {})
    _check(params, state)


def configure(params: Params, state: MotoState) -> None:
    """UpdateFunctionConfiguration."""
    function = called(state, params)
    _check({"Role": function.role, **params}, state)


def code(params: Params, state: MotoState) -> None:
    """UpdateFunctionCode."""
    called(state, params)
    _code(params)


def _code(code: Params) -> None:
    zipped = code.get("ZipFile")
    if zipped is None:
        return
    content = base64.b64decode(zipped) if isinstance(zipped, str) else bytes(zipped)
    if len(content) > _ZIP_BYTES:
        words = f"Request must be smaller than {_ZIP_BYTES} bytes for the CreateFunction operation"
        raise Refusal("RequestEntityTooLargeException", words, 413)
    if not usable(content):
        raise wrong("Could not unzip uploaded file. Please check your file, then try to upload again.")


def _check(params: Params, state: MotoState) -> None:
    runtime = params.get("Runtime")
    if runtime and runtime not in RUNTIMES:
        raise wrong(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions."
        )
    role = service_roles.by("lambda.amazonaws.com", str(params.get("Role")), state)
    if role is None:
        raise wrong("The role defined for the function cannot be assumed by Lambda.")
    _variables((params.get("Environment") or {}).get("Variables") or {})
    _vpc(params.get("VpcConfig") or {}, role, state)
    named = params.get("KMSKeyArn")
    key = state.key(named) if named else None
    if named and (key is None or not key.enabled):
        raise wrong(
            f"Lambda was unable to configure access to your environment variables because the KMS key "
            f"is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: "
            f"NotFoundException: {named}"
        )
    logging = params.get("LoggingConfig") or {}
    levels = [name for name in ("ApplicationLogLevel", "SystemLogLevel") if logging.get(name)]
    if levels and logging.get("LogFormat", "Text") != "JSON":
        raise wrong(f"{levels[0]} can only be specified when LogFormat is JSON.")


def _variables(variables: Params) -> None:
    taken = sorted(name for name in variables if _RESERVED.fullmatch(name))
    if taken:
        raise wrong(
            "Lambda was unable to configure your environment variables because the environment variables you "
            "have provided contains reserved keys that are currently not supported for modification. "
            "Reserved "
            f"keys used in this request: {', '.join(taken)}"
        )
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    if variables and size > _VARIABLES:
        raise wrong(
            "Lambda was unable to configure your environment variables because the environment variables you "
            f"have provided exceeded the 4KB limit. String measured: {size} bytes"
        )


def _vpc(vpc: Params, role: Any, state: MotoState) -> None:
    subnets, groups = vpc.get("SubnetIds") or [], vpc.get("SecurityGroupIds") or []
    if not subnets and not groups:
        return
    if not subnets or not groups:
        raise wrong("SubnetIds and SecurityIds must coexist or be both empty list.")
    documents = list(principals.documents(role))
    interface = f"arn:aws:ec2:{state.region}:{state.account}:network-interface/eni-0"
    for action in _IN_VPC:
        place = "*" if action.startswith("Describe") else interface
        if not policy_statements.allows(documents, f"ec2:{action}", place, {}):
            raise wrong(f"The provided execution role does not have permissions to call {action} on EC2")
    try:
        places = {state.subnet(subnet).vpc_id for subnet in subnets} | {
            state.group(group).vpc_id for group in groups
        }
    except Refusal as error:
        raise wrong(
            f"Error occurred while DescribeSecurityGroups. EC2 Error Message: {error.message}"
        ) from None
    if len(places) > 1:
        raise wrong(f"The subnets and security groups are in different VPCs: {', '.join(sorted(places))}")


def permission(params: Params, state: MotoState) -> None:
    """AddPermission: a statement's id is there once; a principal is a service, an account or a role."""
    function = called(state, params)
    taken = [statement.get("Sid") for statement in statements(function)]
    if params.get("StatementId") in taken:
        raise Refusal(
            "ResourceConflictException",
            f"The statement id ({params.get('StatementId')}) provided already exists. Please provide a new "
            "statement id, or remove the existing statement.",
            409,
        )
    principal = str(params.get("Principal"))
    parts = principal.split(":")
    same_account = len(parts) == 6 and parts[2] == "iam" and parts[4] == state.account and parts[5] != "root"
    if same_account and principal not in {role.arn for role in [*state.roles(), *state.iam.users.values()]}:
        raise wrong("The provided principal was invalid. Please check the principal and try again.")


def find(state: MotoState, named: str) -> Any | None:
    """A function by name or arn (with or without qualifier), or None."""
    name = named.split(":function:")[-1].split(":")[0]
    functions = state.moto.backend("lambda", state.region)._lambdas._functions
    return functions[name]["latest"] if name in functions else None


def alias(params: Params, state: MotoState) -> None:
    """CreateAlias and UpdateAlias: versions that there are, and a second one that is another ("Lambda
    function aliases": a weighted alias points to at most two published versions)."""
    name = str(params.get("FunctionName"))
    weights: Params = (params.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    version = params.get("FunctionVersion")
    for version_ in filter(None, (version, *weights)):
        called(state, {"FunctionName": name, "Qualifier": version_})
    if len(weights) > 1 or version in weights or (weights and version == "$LATEST"):
        raise wrong(
            "Invalid routing configuration: an alias can point to two different published versions at most."
        )


def concurrency(params: Params, state: MotoState) -> None:
    """PutFunctionConcurrency: at least 100 executions stay unreserved (API reference)."""
    function = called(state, {"FunctionName": params.get("FunctionName")})
    functions = state.moto.backend("lambda", state.region)._lambdas._functions.values()
    others = [
        event_function["latest"] for event_function in functions if event_function["latest"] is not function
    ]
    reserved = sum(int(event_function.reserved_concurrency or 0) for event_function in others)
    if reserved + int(params.get("ReservedConcurrentExecutions") or 0) > servicequotas.EXECUTIONS - 100:
        raise wrong(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of [100]."
        )


def called(state: MotoState, params: Params, draw: float = 1.0) -> Any:
    """The function, or its version, that a call names; the refusal where there is none. draw: from 0 to 1,
    which chooses among the versions of an alias; 1 is the alias' own."""
    named = str(params.get("FunctionName"))
    function = find(state, named)
    after = named.split(":function:")[-1]
    qualifier = params.get("Qualifier") or (after.partition(":")[2] if ":" in after else "")
    arn = f"arn:aws:lambda:{state.region}:{state.account}:function:{after.split(':')[0]}"
    if function is not None and qualifier and qualifier != "$LATEST":
        storage = state.moto.backend("lambda", state.region)._lambdas
        aliases = storage._aliases.get(function.function_arn) or {}
        version = _routed(aliases[qualifier], draw) if qualifier in aliases else qualifier
        function = storage._get_version(function.function_name, version)
        arn = f"{arn}:{qualifier}"
    if function is None:
        raise Refusal("ResourceNotFoundException", f"Function not found: {arn}", 404)
    return function


def _routed(alias: Any, draw: float) -> str:
    weights: Params = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    for version, weight in weights.items():
        if draw < float(weight):
            return str(version)
    return str(alias.function_version)


def statements(function: Any) -> list[Params]:
    """The statements of a function's policy, as AddPermission makes them: moto keeps some of its parameters
    next to the conditions that they become."""
    return [_whole(statement) for statement in function.policy.statements] if function.policy else []


def _whole(statement: Params) -> Params:
    completed = {name: value for name, value in statement.items() if name not in _CONDITIONS}
    conditions: Params = {name: dict(value) for name, value in (completed.get("Condition") or {}).items()}
    for name, (operator, key) in _CONDITIONS.items():
        if statement.get(name) is not None:
            value = statement[name]
            conditions.setdefault(operator, {})[key] = str(value).lower() if value is True else value
    return {**completed, **({"Condition": conditions} if conditions else {})}


def url_qualifier(function: Any) -> str:
    """The alias that a function's URL calls; "" where it calls the function itself."""
    return str(getattr(function, "twin_url_qualifier", ""))


def log_group(function: Any) -> str:
    """Where a function's log goes."""
    more: Params = getattr(function, "twin_more", {})
    return str((more.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function.function_name}")


RULES: Final = {
    "CreateFunction": create,
    "UpdateFunctionCode": code,
    "UpdateFunctionConfiguration": configure,
    "AddPermission": permission,
    "CreateAlias": alias,
    "UpdateAlias": alias,
    "PutFunctionConcurrency": concurrency,
}


# Operations

_MORE: Final = ("LoggingConfig", "DeadLetterConfig", "FileSystemConfigs", "SnapStart", "DurableConfig")
_CHANGED: Final = {
    "EphemeralStorage": "ephemeral_storage",
    "KMSKeyArn": "kms_key_arn",
    "TracingConfig": "tracing_config",
}


def install() -> None:
    """Let moto keep what it is given of a function, once."""
    from moto.awslambda.models import LambdaFunction

    wrap(LambdaFunction, __init__=_init, get_configuration=_configuration, update_configuration=_update)


def _init(self: Any, account_id: str, spec: Params, region: str, version: Any = 1) -> None:
    self.twin_more = {name: spec[name] for name in _MORE if spec.get(name)}
    self.twin_init(account_id, spec, region, version)


def _configuration(self: Any, on_create: bool = False) -> Params:
    reported: Params = {
        name: value for name, value in self.twin_get_configuration(on_create).items() if value is not None
    }
    vpc = reported.get("VpcConfig")
    if vpc:
        reported["VpcConfig"] = {**vpc, "VpcId": _network(self, vpc)}
    reported |= {name: value for name, value in self.twin_more.items() if name != "SnapStart"}
    reported["LoggingConfig"] = {
        "LogFormat": "Text",
        **(self.twin_more.get("LoggingConfig") or {}),
        "LogGroup": log_group(self),
    }
    if self.twin_more.get("SnapStart"):
        reported["SnapStart"] = {"OptimizationStatus": "Off", **self.twin_more["SnapStart"]}
    return reported


def _network(function: Any, vpc: Params) -> str:
    from moto.ec2.models import ec2_backends

    subnets = ec2_backends[function.account_id][function.region].subnets
    for zone in subnets.values():
        for subnet_id in vpc.get("SubnetIds") or []:
            if subnet_id in zone:
                return zone[subnet_id].vpc_id
    return ""


def _update(self: Any, updates: Params) -> Params:
    self.twin_more |= {name: updates[name] for name in _MORE if name in updates}
    for name, attribute in _CHANGED.items():
        if name in updates:
            value = updates[name]
            setattr(self, attribute, value["Size"] if name == "EphemeralStorage" else value or None)
    return self.twin_update_configuration(updates)


def _mended(_: Call, __: Any) -> None:
    install()


def _keep_qualifier(call: Call, backend: Any) -> None:
    """CreateFunctionUrlConfig: moto forgets the alias."""
    name = str(call.params.get("FunctionName")).split(":function:")[-1].split(":")[0]
    versions: Any = backend._lambdas._functions.get(name)
    if versions is not None:
        versions["latest"].twin_url_qualifier = call.params.get("Qualifier") or ""


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    **dict.fromkeys(
        ("CreateFunction", "GetFunction", "GetFunctionConfiguration", "UpdateFunctionConfiguration"), _mended
    ),
    "CreateFunctionUrlConfig": _keep_qualifier,
}
