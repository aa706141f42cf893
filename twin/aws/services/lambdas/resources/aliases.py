"""Lambda: aliases of versions, URLs, and what becomes of asynchronous calls."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import Props


class Alias(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"functionName": known.get("functionName") or id.split(":")[6]}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        names = ("description", "functionVersion", "routingConfig")
        params = to_api({name: self.fields[name] for name in names}, new)
        # What is left out stays as it is.
        params.setdefault("RoutingConfig", {"AdditionalVersionWeights": {}})
        params.setdefault("Description", "")
        place = {"FunctionName": old["functionName"], "Name": old["name"]}
        context.call("lambda", "UpdateAlias", {**place, **params})


class FunctionUrl(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        name, _, qualifier = id.partition("/")
        return {
            "functionName": name,
            "qualifier": qualifier,
            "invokeMode": known.get("invokeMode") or "BUFFERED",
            "functionArn": f"{item['FunctionArn']}:{qualifier}" if qualifier else item["FunctionArn"],
            "urlId": str(item["FunctionUrl"]).partition("//")[2].partition(".")[0],
        }


class EventInvokeConfig(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        name, _, qualifier = id.partition(":")
        return {"functionName": name, "qualifier": qualifier}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        place = {"FunctionName": old["functionName"], "Qualifier": old["qualifier"]}
        # moto keeps the first one: an update is another.
        context.call("lambda", "DeleteFunctionEventInvokeConfig", place)
        context.call("lambda", "PutFunctionEventInvokeConfig", to_api(self.fields, new))
