"""Lambda: functions, permissions to call them, and calls of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from twin.archives import zipped
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import has_unknown, to_api
from twin.property_values import Archive
from twin.provider_interface import UNKNOWN, CloudError, Context, Failure, Props

_CODE: Final = frozenset(
    {"code", "imageUri", "s3Bucket", "s3Key", "s3ObjectVersion", "sourceCodeHash", "sourceKmsKeyArn"}
)
_NOT_IN_CONFIGURATION: Final = frozenset({"architectures", "name", "packageType", "publish", "codeSha256"})


def snap_start(value: Any) -> Any:
    # The provider reports of it where it is on.
    applied = value.get("ApplyOn")
    if applied in (None, "None"):
        return None
    return {"applyOn": applied, "optimizationStatus": value.get("OptimizationStatus", "Off")}


class Function(AwsResource):
    def same(self, path: str, old: Any, new: Any) -> bool:
        if isinstance(old, Archive) and isinstance(new, Archive):
            return bool(old.hash) and old.hash == new.hash
        return super().same(path, old, new)

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        params["Code"] = self._code(inputs)
        if isinstance(params.get("FileSystemConfigs"), dict):
            params["FileSystemConfigs"] = [params["FileSystemConfigs"]]
        return params

    def _code(self, inputs: Props) -> Props:
        code = inputs.get("code")
        if isinstance(code, Archive):
            if has_unknown(code.assets):
                return {"ZipFile": UNKNOWN}
            try:
                return {"ZipFile": zipped(code)}
            except (OSError, ValueError) as error:
                raise CloudError(f"creating Lambda Function: reading code: {error}", path="code") from error
        names = {"imageUri": "ImageUri", "s3Bucket": "S3Bucket", "s3Key": "S3Key"}
        names |= {"s3ObjectVersion": "S3ObjectVersion", "sourceKmsKeyArn": "SourceKMSKeyArn"}
        return {api: inputs[name] for name, api in names.items() if inputs.get(name) is not None}

    def checked_calls(self, context: AwsContext, inputs: Props) -> Iterator[Any]:
        # The model's type of code is bytes, which a check needs not make.
        without = {name: value for name, value in inputs.items() if name != "code"}
        yield from super().checked_calls(context, without)

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._reserve(context, id, inputs)

    @staticmethod
    def _reserve(context: AwsContext, id: str, inputs: Props) -> None:
        most = inputs.get("reservedConcurrentExecutions")
        if most is not None and most >= 0:
            params = {"FunctionName": id, "ReservedConcurrentExecutions": most}
            context.call("lambda", "PutFunctionConcurrency", params)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        arn = f"arn:{context.partition}:lambda:{context.region}:{context.account}:function:{id}"
        version = self._latest(context, id) if known.get("publish") else item.get("Version") or "$LATEST"
        place = f"arn:{context.partition}:apigateway:{context.region}:lambda:path"
        invoked = f"{place}/2015-03-31/functions/{arn}"
        return {
            "version": version,
            "sourceCodeHash": known.get("sourceCodeHash") or item["CodeSha256"],
            "invokeArn": f"{invoked}/invocations",
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": f"{invoked}:{version}/invocations",
            "responseStreamingInvokeArn": (
                f"{place}/2021-11-15/functions/{arn}/response-streaming-invocations"
            ),
            "signingJobArn": item.get("SigningJobArn") or "",
            "signingProfileVersionArn": item.get("SigningProfileVersionArn") or "",
        }

    @staticmethod
    def _latest(context: AwsContext, id: str) -> str:
        versions = context.call("lambda", "ListVersionsByFunction", {"FunctionName": id})["Versions"]
        return str(versions[-1]["Version"])

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed & _CODE:
            params = {"FunctionName": id, **self._code(new)}
            if new.get("architectures"):
                params["Architectures"] = new["architectures"]
            context.call("lambda", "UpdateFunctionCode", params)
        wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
        params: Props = {}
        for name in sorted(changed - _CODE - _NOT_IN_CONFIGURATION):
            field = self.fields[name]
            if field.api and name in wanted:
                params |= to_api({name: field}, wanted)
            elif field.api:
                params[field.api] = _EMPTY.get(name, {})
        if params:
            context.call("lambda", "UpdateFunctionConfiguration", {"FunctionName": id, **params})
        if new.get("publish") and (changed & _CODE or params or "publish" in changed):
            context.call("lambda", "PublishVersion", {"FunctionName": id})
        if "reservedConcurrentExecutions" in changed:
            if (new.get("reservedConcurrentExecutions") or -1) < 0:
                context.call("lambda", "DeleteFunctionConcurrency", {"FunctionName": id})
            self._reserve(context, id, new)


_EMPTY: Final[Props] = {
    "description": "",
    "environment": {"Variables": {}},
    "kmsKeyArn": "",
    "layers": [],
    "vpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
"""What UpdateFunctionConfiguration takes for `no more of it`."""


class Permission(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        statements = json.loads(item["Policy"])["Statement"] if item else []
        return next((statement for statement in statements if statement.get("Sid") == id), None)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        # The statement is the same for the same arguments: it cannot be changed, only replaced.
        reported = {name: state[name] for name in self.fields if state.get(name) is not None}
        principal_element: Any = item.get("Principal")
        principal = (
            principal_element.get("Service") or principal_element.get("AWS")
            if isinstance(principal_element, dict)
            else principal_element
        )
        account = str(principal).split(":")[4] if str(principal).endswith(":root") else principal
        reported |= {"action": item["Action"], "statementId": id}
        if state.get("principal") not in (principal, account):
            reported["principal"] = principal
        return {**reported, "region": context.region}


class Invocation(AwsResource):
    """A call that is made when the resource is; `result` is what the function answered."""

    def rules(self, inputs: Props) -> Iterator[Failure]:
        text = inputs.get("input")
        if isinstance(text, str):
            try:
                parsed = json.loads(text)
            except ValueError as error:
                yield Failure("input", f'"input" contains an invalid JSON: {error}')
            else:
                if inputs.get("lifecycleScope") == "CRUD" and not isinstance(parsed, dict):
                    yield Failure("input", "lifecycle_scope CRUD requires input to be a JSON object")

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        once = (new.get("lifecycleScope") or "CREATE_ONLY") == "CREATE_ONLY"
        changed = path.partition(".")[0].partition("[")[0]
        return super().replaces(path, old, new) or (once and changed in ("input", "triggers"))

    def create(self, context: Context, inputs: Props) -> tuple[str, Props]:
        here = self._context(context, inputs)
        result = self._called(here, inputs, self._payload(inputs, "create"))
        digest = hashlib.md5(result.encode(), usedforsecurity=False).hexdigest()
        return f"{inputs['functionName']}_{inputs['qualifier']}_{digest}", self._state(here, inputs, result)

    def read(self, context: Context, id: str, state: Props) -> Props | None:
        return state

    def update(self, context: Context, id: str, old: Props, new: Props) -> Props:
        here = self._context(context, old)
        if not self.changed(old, new) & {"input", "triggers"}:
            return self._state(here, new, old["result"])
        before = old["input"] if new.get("lifecycleScope") == "CRUD" else None
        payload = self._payload(new, "update", before)
        return self._state(here, new, self._called(here, new, payload))

    def delete(self, context: Context, id: str, state: Props) -> None:
        if state.get("lifecycleScope") == "CRUD":
            here = self._context(context, state)
            self._called(here, state, self._payload(state, "delete", state["input"]))

    def describe(self, props: Props, id: str = "") -> str:
        return str(props.get("functionName") or id)

    @staticmethod
    def _payload(inputs: Props, action: str, before: str | None = None) -> str:
        if inputs.get("lifecycleScope") != "CRUD":
            return inputs["input"]
        reported: Props = {"action": action}
        if before is not None:
            reported["prev_input"] = json.loads(before)
        return json.dumps({**json.loads(inputs["input"]), inputs["terraformKey"]: reported})

    def _called(self, context: AwsContext, inputs: Props, payload: str) -> str:
        params = {"FunctionName": inputs["functionName"], "Qualifier": inputs["qualifier"]}
        if inputs.get("tenantId"):
            params["TenantId"] = inputs["tenantId"]
        with self.errors("invoking", self.describe(inputs)):
            answer = context.call(
                "lambda", "Invoke", {**params, "InvocationType": "RequestResponse", "Payload": payload}
            )
        result = answer["Payload"].read().decode()
        if answer.get("FunctionError"):
            name = inputs["functionName"]
            raise CloudError(
                f"Lambda function ({name}) returned error: ({result})",
                code=answer["FunctionError"],
                path="input",
            )
        return result

    def _state(self, context: AwsContext, inputs: Props, result: str) -> Props:
        reported = {name: inputs[name] for name in self.fields if inputs.get(name) is not None}
        return {**reported, "result": result, "region": context.region}
