"""Lambda: aliases of versions, URLs, and what becomes of asynchronous calls."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, pascal, reads, to_api
from twin.provider_interface import Props

_ABSENT: Final = frozenset({"ResourceNotFoundException"})
_ALIAS: Final = {"FunctionName": "{functionName}", "Name": "{name}"}
_OF_FUNCTION: Final = {"FunctionName": "{functionName}", "Qualifier": "{qualifier}"}


class Alias(AwsResource):
    token = "aws:lambda/alias:Alias"
    service = "lambda"
    title = "Lambda Alias"
    fields = {
        **pascal("name", "description", "functionVersion"),
        "functionName": Field("FunctionName", read=""),
        "routingConfig": Field("RoutingConfig", of=pascal("additionalVersionWeights")),
        **reads(arn="AliasArn"),
    }
    create_call = Call("CreateAlias")
    id_path = "AliasArn"
    read_call = Call("GetAlias", _ALIAS)
    not_found = _ABSENT
    delete_call = Call("DeleteAlias", _ALIAS)
    immutable = frozenset({"functionName", "name", "region"})
    paths = {
        "ResourceNotFoundException": "functionName",
        "InvalidParameterValueException: routing": "routingConfig",
    }

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        place = f"arn:{context.partition}:apigateway:{context.region}:lambda:path/2015-03-31/functions"
        return {
            "functionName": known.get("functionName") or id.split(":")[6],
            "invokeArn": f"{place}/{item['AliasArn']}/invocations",
        }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        names = ("description", "functionVersion", "routingConfig")
        params = to_api({name: self.fields[name] for name in names}, new)
        # What is left out stays as it is.
        params.setdefault("RoutingConfig", {"AdditionalVersionWeights": {}})
        params.setdefault("Description", "")
        place = {"FunctionName": old["functionName"], "Name": old["name"]}
        context.call("lambda", "UpdateAlias", {**place, **params})


_CORS: Final = pascal(
    "allowCredentials", "allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge"
)


class FunctionUrl(AwsResource):
    token = "aws:lambda/functionUrl:FunctionUrl"
    service = "lambda"
    title = "Lambda Function URL"
    fields = {
        "functionName": Field("FunctionName", read=""),
        "qualifier": Field("Qualifier", read=""),
        "authorizationType": Field("AuthType"),
        "cors": Field("Cors", of=_CORS),
        "invokeMode": Field("InvokeMode", read=""),
        **reads(functionUrl="FunctionUrl", functionArn="FunctionArn"),
    }
    create_call = Call("CreateFunctionUrlConfig")
    id_form = "{functionName}/{qualifier}"
    read_call = Call("GetFunctionUrlConfig", _OF_FUNCTION)
    not_found = _ABSENT
    delete_call = Call("DeleteFunctionUrlConfig", _OF_FUNCTION)
    immutable = frozenset({"functionName", "qualifier", "region"})
    defaults = {"invokeMode": "BUFFERED"}
    paths = {"ResourceNotFoundException": "functionName"}

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        name, _, qualifier = id.partition("/")
        return {
            "functionName": name,
            "qualifier": qualifier,
            "invokeMode": known.get("invokeMode") or "BUFFERED",
            "functionArn": f"{item['FunctionArn']}:{qualifier}" if qualifier else item["FunctionArn"],
            "urlId": str(item["FunctionUrl"]).partition("//")[2].partition(".")[0],
        }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        place = {"FunctionName": old["functionName"], "Qualifier": old["qualifier"]}
        changed = to_api({name: self.fields[name] for name in ("authorizationType", "cors")}, new)
        context.call("lambda", "UpdateFunctionUrlConfig", {**place, **changed})


_DESTINATION: Final = {
    "onFailure": Field("OnFailure", of=pascal("destination")),
    "onSuccess": Field("OnSuccess", of=pascal("destination")),
}


class EventInvokeConfig(AwsResource):
    token = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    service = "lambda"
    title = "Lambda Function Event Invoke Config"
    fields = {
        "functionName": Field("FunctionName", read=""),
        "qualifier": Field("Qualifier", read=""),
        **pascal("maximumEventAgeInSeconds", "maximumRetryAttempts"),
        "destinationConfig": Field("DestinationConfig", of=_DESTINATION),
    }
    create_call = Call("PutFunctionEventInvokeConfig")
    id_form = "{functionName}:{qualifier}"
    read_call = Call("GetFunctionEventInvokeConfig", _OF_FUNCTION)
    not_found = _ABSENT
    delete_call = Call("DeleteFunctionEventInvokeConfig", _OF_FUNCTION)
    immutable = frozenset({"functionName", "qualifier", "region"})
    paths = {"ResourceNotFoundException": "functionName"}

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        name, _, qualifier = id.partition(":")
        return {"functionName": name, "qualifier": qualifier}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        place = {"FunctionName": old["functionName"], "Qualifier": old["qualifier"]}
        # moto keeps the first one: an update is another.
        context.call("lambda", "DeleteFunctionEventInvokeConfig", place)
        context.call("lambda", "PutFunctionEventInvokeConfig", to_api(self.fields, new))
