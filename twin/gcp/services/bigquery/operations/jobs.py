"""BigQuery: jobs. The twin executes statements that declare columns and policies of tables, and queries.

A job runs for a while: what it does is done at the first request to Google after that. The
principal that ran a query reads its results, and no other ("Running jobs").
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import etag
from twin.gcp.methods import generic, handles
from twin.gcp.services.bigquery import statements
from twin.gcp.services.bigquery.operations import queries
from twin.gcp.services.bigquery.operations.datasets import duplicate, millis, missing
from twin.gcp.services.bigquery.schema_changes import IcebergTable, Table, find
from twin.gcp.services.compute.operations.generic import check_labels

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_KINDS: Final = ("query", "load", "extract", "copy")


def _row(call: Call, job: str) -> str:
    return f"bigquery/projects/{call.project}/jobs/{job}"


@handles("bigquery.jobs.insert")
def insert(call: Call) -> dict[str, Any]:
    """A job, which runs for a while and takes effect at its end; its status then states what was wrong."""
    configuration = call.body.get("configuration") or {}
    kinds = [each for each in _KINDS if each in configuration]
    if len(kinds) != 1:
        raise invalid("Required parameter is missing: exactly one of query, load, extract and copy.")
    check_labels(configuration, "configuration.labels")
    reference = call.body.get("jobReference") or {}
    job = (
        reference.get("jobId") or f"job_{etag(call.body)[:12].strip('=').replace('/', '_').replace('+', '-')}"
    )
    if not _ID.fullmatch(job):
        raise invalid(f'Invalid job ID "{job}": letters, digits, _ and -, at most 1024.')
    place = (reference.get("location") or "US").lower()
    shown = place.upper() if place in ("us", "eu") else place
    if call.state.get(_row(call, job)) is not None:
        raise duplicate("Job", f"{call.project}:{shown}.{job}")
    if kinds[0] == "load":
        _check_load(call, configuration["load"], place)
    if kinds[0] != "query":
        raise NotImplementedError(f"BigQuery's {kinds[0]} jobs")
    query = configuration["query"]
    if query.get("useLegacySql", True):
        raise NotImplementedError("BigQuery's legacy SQL")
    queries.known(str(query.get("query") or ""))
    link = f"https://bigquery.googleapis.com/bigquery/v2/projects/{call.project}/jobs/{job}?location={shown}"
    now = millis(call)
    made: Body = {
        "kind": "bigquery#job",
        "id": f"{call.project}:{shown}.{job}",
        "selfLink": link,
        "user_email": call.principal.partition(":")[2],
        "configuration": {**configuration, "jobType": "QUERY"},
        "jobReference": {"projectId": call.project, "jobId": job, "location": shown},
        "statistics": {"creationTime": now, "startTime": now},
        "status": {"state": "RUNNING"},
    }
    made["etag"] = etag(made)
    running = {"ends": call.at + call.lasts, "principal": call.principal}
    call.state.put(_row(call, job), made, kept=running)
    if call.lasts:
        call.state.put_operation(_running(call, job), {}, running["ends"])
        return made
    return _end(call, _row(call, job), made)


def _check_load(call: Call, load: Body, place: str) -> None:
    """Refuse a principal without the right to load into a table: a load may update its columns, too.

    Source: "Loading CSV data from Cloud Storage", permissions to load data."""
    target = load.get("destinationTable") or {}
    name = tuple(str(target.get(key) or "") for key in ("projectId", "datasetId", "tableId"))
    table = find(call, name, place)
    for permission in ("bigquery.tables.update", "bigquery.tables.updateData"):
        queries.need(call, table, permission)


def _running(call: Call, job: str) -> str:
    return f"bigquery.running/projects/{call.project}/jobs/{job}"


def settle(call: Call) -> None:
    """Let the jobs take effect whose time has come, in the order of their ends."""
    for name in call.state.ended("bigquery.running/"):
        row = f"bigquery/{name.partition('/')[2]}"
        made = call.state.get(row)
        if made is not None:
            _end(call, row, made)
        call.state.forget_operation(name)


def _end(call: Call, row: str, made: Body) -> Body:
    """A job at its end, whichever call is under way then."""
    kept = call.state.kept(row)
    ends = replace(call, at=kept["ends"], principal=kept["principal"])
    query = str(made["configuration"]["query"].get("query") or "")
    failure, results = _run(ends, query, made["jobReference"]["location"].lower())
    made["status"] = {"state": "DONE"} | ({"errorResult": failure, "errors": [failure]} if failure else {})
    made["statistics"] |= {"endTime": millis(ends), "totalBytesProcessed": "0"}
    made["etag"] = etag({key: each for key, each in made.items() if key != "etag"})
    return call.state.put(row, made, kept={"results": results} if results is not None else {})


def _run(call: Call, text: str, place: str) -> tuple[Body | None, Body | None]:
    """Execute a query or a script: what was refused, and the results. What went before the refusal stays, as
    in BigQuery."""
    try:
        if queries.is_query(text):
            return None, queries.run(call, text, place)
        for each in statements.script(text):
            _execute(call, each, place)
    except GoogleError as error:
        return {"reason": error.reason, "location": "query", "message": error.message}, None
    except NotImplementedError as error:
        return {"reason": "invalidQuery", "location": "query", "message": f"not in the twin: {error}"}, None
    return None, None


def _execute(call: Call, each: statements.Statement, place: str) -> None:
    table = find(call, each.table, place)
    _check_rights(call, table, each)
    if isinstance(each, statements.RowPolicy):
        _create_rows(call, table, each)
    elif isinstance(each, statements.DropRows):
        _drop_rows(table, each)
    else:
        _alter(call, table, each)
    table.save(call)


def _check_rights(call: Call, table: Table, each: statements.Statement) -> None:
    """Refuse a principal without the right. Sources: "Control access to resources with IAM"; "Use row-level
    security"; "Mask data by applying data policies to a column"."""
    if isinstance(each, statements.RowPolicy):
        needed = {"bigquery.rowAccessPolicies.create", "bigquery.rowAccessPolicies.setIamPolicy"}
    elif isinstance(each, statements.DropRows):
        needed = {"bigquery.rowAccessPolicies.delete"}
    else:
        needed = {f"{'biglake' if isinstance(table, IcebergTable) else 'bigquery'}.tables.update"}
        if any(action.policies is not None for action in each.actions):
            needed.add("bigquery.tables.setColumnDataPolicy")
    for permission in sorted(needed):
        queries.need(call, table, permission)


def _alter(call: Call, table: Table, each: statements.AlterTable) -> None:
    added: list[statements.Column] = []
    for action in each.actions:
        name = action.name.lower()
        held = table.has(name) or any(one.name.lower() == name for one in added)
        if isinstance(action, statements.Column):
            if held and not action.lenient:
                raise invalid(f"Column already exists: {action.name}", reason="invalidQuery")
            if not held:
                added.append(action)
        elif not held and not (isinstance(action, statements.Lost) and action.lenient):
            raise invalid(f"ALTER TABLE: Column {action.name} not found.", reason="invalidQuery")
    if added:
        table.add(call, [(one.name, one.kind) for one in added])
    lost = [
        one.name for one in each.actions if isinstance(one, statements.Lost) and table.has(one.name.lower())
    ]
    if lost:
        table.drop(call, {name.lower() for name in lost})
    new = {one.name for one in added}
    for action in each.actions:
        if action.policies is None or (isinstance(action, statements.Column) and action.name not in new):
            continue
        names = [_policy(call, one, table.place) for one in action.policies]
        if isinstance(action, statements.Options) and action.more:
            names = sorted({*table.policies.get(action.name, ()), *names})
        table.policies[action.name] = names


def _policy(call: Call, name: str, place: str) -> str:
    """A data policy by `PROJECT.region-LOCATION.ID`. Raises 404 and 400."""
    parts = name.split(".")
    if len(parts) != 3:
        raise invalid(f"Invalid data policy '{name}': PROJECT.region-LOCATION.POLICY is right.")
    where = parts[1].removeprefix("region-").lower()
    full = f"projects/{call.project}/locations/{where}/dataPolicies/{parts[2]}"
    body = call.state.get(f"bigquerydatapolicy/{full}")
    if body is None or parts[0] not in (call.project, call.project_number):
        raise missing("Data policy", name)
    if where != place:
        raise invalid(f"The data policy {name} is in {where}, the table in {place}.")
    return full


def _create_rows(call: Call, table: Table, each: statements.RowPolicy) -> None:
    from twin.gcp.services.bigquery.operations.row_policies import check_grantees, check_predicate

    held = each.name in table.rows
    if held and each.lenient:
        return
    if held and not each.replace:
        raise duplicate("Row access policy", f"{table.shown}.{each.name}")
    check_predicate(each.predicate, table.names())
    check_grantees(call, list(each.grantees))
    table.rows[each.name] = {"filterPredicate": each.predicate, "grantees": list(each.grantees)}


def _drop_rows(table: Table, each: statements.DropRows) -> None:
    if not each.name:
        table.rows.clear()
    elif each.name in table.rows:
        del table.rows[each.name]
    elif not each.lenient:
        raise missing("Row access policy", f"{table.shown}.{each.name}")


@handles("bigquery.jobs.query")
def query(call: Call) -> dict[str, Any]:
    """Statements or a query, executed at once. What is wrong with them is the answer's error."""
    if call.body.get("useLegacySql", True):
        raise NotImplementedError("BigQuery's legacy SQL")
    text = str(call.body.get("query") or "")
    if not text.strip():
        raise invalid("Required parameter is missing: query", reason="required")
    place = str(call.body.get("location") or "").lower()
    results: Body = {"totalRows": "0"}
    if queries.is_query(text):
        results = queries.run(call, text, place)
    else:
        for each in statements.script(text):
            _execute(call, each, place)
    job = {
        "projectId": call.project,
        "jobId": f"job_{etag(call.body)[:10].strip('=')}",
        "location": place or "US",
    }
    return {"kind": "bigquery#queryResponse", "jobComplete": True, "jobReference": job, **results}


@handles("bigquery.jobs.getQueryResults")
def results(call: Call) -> dict[str, Any]:
    """The rows of a query that is done, for the principal that asked it."""
    body = _job(call)
    if call.principal not in (_owner(body), call.front.identity.deployer):
        raise queries.denied(
            f"Table {body['id']}: User does not have permission to query table {body['id']}, or perhaps it "
            "does not exist."
        )
    reference = {"kind": "bigquery#getQueryResultsResponse", "jobReference": body["jobReference"]}
    if body["status"]["state"] != "DONE":
        return {**reference, "jobComplete": False}
    failure = body["status"].get("errorResult")
    if failure:
        raise GoogleError(400, "INVALID_ARGUMENT", failure["message"], failure["reason"])
    found = call.state.kept(_row(call, call.parameters["jobId"])).get("results") or {"totalRows": "0"}
    return {**reference, "jobComplete": True, **found}


def _owner(body: Body) -> str:
    kind = "serviceAccount" if body["user_email"].endswith("gserviceaccount.com") else "user"
    return f"{kind}:{body['user_email']}"


def _job(call: Call) -> Body:
    found = call.state.get(_row(call, call.parameters["jobId"]))
    where = str(call.parameters.get("location") or "").lower()
    shown = f"{call.project}:{call.parameters['jobId']}"
    if found is None or (where and where != found["jobReference"]["location"].lower()):
        raise missing("Job", shown)
    if call.principal != _owner(found):
        queries.need(call, None, "bigquery.jobs.get", f"Job {shown}")
    return found


@handles("bigquery.jobs.get")
def get(call: Call) -> dict[str, Any]:
    """A job with its status."""
    return _job(call)


@handles("bigquery.jobs.list")
def listing(call: Call) -> dict[str, Any]:
    """The caller's jobs of the project; all of them for a principal with the right to list all."""
    found = [body for _, body in call.state.of("bigquery.jobs", f"bigquery/projects/{call.project}/jobs/")]
    if not queries.may(call, None, "bigquery.jobs.listAll"):
        found = [body for body in found if _owner(body) == call.principal]
    return {"kind": "bigquery#jobList", **generic.page(call, found, "jobs")}


@handles("bigquery.jobs.cancel")
def cancel(call: Call) -> dict[str, Any]:
    """A job that is done stays as it is; one that runs ends without effect."""
    job = _job(call)
    if job["status"]["state"] != "DONE":
        failure = {"reason": "stopped", "message": "Job execution was cancelled: User requested cancellation"}
        job["status"] = {"state": "DONE", "errorResult": failure, "errors": [failure]}
        call.state.put(_row(call, call.parameters["jobId"]), job)
        call.state.forget_operation(_running(call, call.parameters["jobId"]))
    return {"kind": "bigquery#jobCancelResponse", "job": job}
