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
    kinds = [kind for kind in _KINDS if kind in configuration]
    if len(kinds) != 1:
        raise invalid("Required parameter is missing: exactly one of query, load, extract and copy.")
    check_labels(configuration, "configuration.labels")
    reference = call.body.get("jobReference") or {}
    digest = etag(call.body)[:12].strip("=").replace("/", "_").replace("+", "-")
    job = reference.get("jobId") or f"job_{digest}"
    if not _ID.fullmatch(job):
        raise invalid(f'Invalid job ID "{job}": letters, digits, _ and -, at most 1024.')
    place = (reference.get("location") or "US").lower()
    location = place.upper() if place in ("us", "eu") else place
    if call.state.get(_row(call, job)) is not None:
        raise duplicate("Job", f"{call.project}:{location}.{job}")
    if kinds[0] == "load":
        _check_load(call, configuration["load"], place)
    if kinds[0] != "query":
        raise NotImplementedError(f"BigQuery's {kinds[0]} jobs")
    query = configuration["query"]
    if query.get("useLegacySql", True):
        raise NotImplementedError("BigQuery's legacy SQL")
    queries.known(str(query.get("query") or ""))
    home = "https://bigquery.googleapis.com/bigquery/v2"
    now = millis(call)
    resource: Body = {
        "kind": "bigquery#job",
        "id": f"{call.project}:{location}.{job}",
        "selfLink": f"{home}/projects/{call.project}/jobs/{job}?location={location}",
        "user_email": call.principal.partition(":")[2],
        "configuration": {**configuration, "jobType": "QUERY"},
        "jobReference": {"projectId": call.project, "jobId": job, "location": location},
        "statistics": {"creationTime": now, "startTime": now},
        "status": {"state": "RUNNING"},
    }
    resource["etag"] = etag(resource)
    running = {"ends": call.at + call.lasts, "principal": call.principal}
    call.state.put(_row(call, job), resource, internal=running)
    if call.lasts:
        call.state.put_operation(_running(call, job), {}, running["ends"])
        return resource
    return _end(call, _row(call, job), resource)


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
        job = call.state.get(row)
        if job is not None:
            _end(call, row, job)
        call.state.forget_operation(name)


def _end(call: Call, row: str, job: Body) -> Body:
    """A job at its end, whichever call is under way then."""
    internal = call.state.internal(row)
    ends = replace(call, at=internal["ends"], principal=internal["principal"])
    query = str(job["configuration"]["query"].get("query") or "")
    failure, results = _run(ends, query, job["jobReference"]["location"].lower())
    job["status"] = {"state": "DONE"} | ({"errorResult": failure, "errors": [failure]} if failure else {})
    job["statistics"] |= {"endTime": millis(ends), "totalBytesProcessed": "0"}
    job["etag"] = etag(job)
    return call.state.put(row, job, internal={"results": results} if results is not None else {})


def _run(call: Call, text: str, place: str) -> tuple[Body | None, Body | None]:
    """Execute a query or a script: what was refused, and the results. What went before the refusal stays, as
    in BigQuery."""
    try:
        if queries.is_query(text):
            return None, queries.run(call, text, place)
        for statement in statements.script(text):
            _execute(call, statement, place)
    except GoogleError as error:
        return {"reason": error.reason, "location": "query", "message": error.message}, None
    except NotImplementedError as error:
        return {"reason": "invalidQuery", "location": "query", "message": f"not in the twin: {error}"}, None
    return None, None


def _execute(call: Call, statement: statements.Statement, place: str) -> None:
    table = find(call, statement.table, place)
    _check_rights(call, table, statement)
    if isinstance(statement, statements.RowPolicy):
        _create_rows(call, table, statement)
    elif isinstance(statement, statements.DropRows):
        _drop_rows(table, statement)
    else:
        _alter(call, table, statement)
    table.save(call)


def _check_rights(call: Call, table: Table, statement: statements.Statement) -> None:
    """Refuse a principal without the right. Sources: "Control access to resources with IAM"; "Use row-level
    security"; "Mask data by applying data policies to a column"."""
    if isinstance(statement, statements.RowPolicy):
        needed = {"bigquery.rowAccessPolicies.create", "bigquery.rowAccessPolicies.setIamPolicy"}
    elif isinstance(statement, statements.DropRows):
        needed = {"bigquery.rowAccessPolicies.delete"}
    else:
        needed = {f"{'biglake' if isinstance(table, IcebergTable) else 'bigquery'}.tables.update"}
        if any(action.policies is not None for action in statement.actions):
            needed.add("bigquery.tables.setColumnDataPolicy")
    for permission in sorted(needed):
        queries.need(call, table, permission)


def _alter(call: Call, table: Table, statement: statements.AlterTable) -> None:
    added: list[statements.Column] = []
    for action in statement.actions:
        name = action.name.lower()
        present = table.has(name) or any(one.name.lower() == name for one in added)
        if isinstance(action, statements.Column):
            if present and not action.lenient:
                raise invalid(f"Column already exists: {action.name}", reason="invalidQuery")
            if not present:
                added.append(action)
        elif not present and not (isinstance(action, statements.Lost) and action.lenient):
            raise invalid(f"ALTER TABLE: Column {action.name} not found.", reason="invalidQuery")
    if added:
        table.add(call, [(one.name, one.kind) for one in added])
    lost = {one.name.lower() for one in statement.actions if isinstance(one, statements.Lost)}
    if lost & table.names():
        table.drop(call, lost & table.names())
    new = {one.name for one in added}
    for action in statement.actions:
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


def _create_rows(call: Call, table: Table, policy: statements.RowPolicy) -> None:
    from twin.gcp.services.bigquery.operations.row_policies import check_grantees, check_predicate

    present = policy.name in table.rows
    if present and policy.lenient:
        return
    if present and not policy.replace:
        raise duplicate("Row access policy", f"{table.displayed_id}.{policy.name}")
    check_predicate(policy.predicate, table.names())
    check_grantees(call, list(policy.grantees))
    table.rows[policy.name] = {"filterPredicate": policy.predicate, "grantees": list(policy.grantees)}


def _drop_rows(table: Table, statement: statements.DropRows) -> None:
    if not statement.name:
        table.rows.clear()
    elif statement.name in table.rows:
        del table.rows[statement.name]
    elif not statement.lenient:
        raise missing("Row access policy", f"{table.displayed_id}.{statement.name}")


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
        for statement in statements.script(text):
            _execute(call, statement, place)
    name = f"job_{etag(call.body)[:10].strip('=')}"
    job = {"projectId": call.project, "jobId": name, "location": place or "US"}
    return {"kind": "bigquery#queryResponse", "jobComplete": True, "jobReference": job, **results}


@handles("bigquery.jobs.getQueryResults")
def results(call: Call) -> dict[str, Any]:
    """The rows of a query that is done, for the principal that asked it."""
    body = _job(call)
    if call.principal not in (_owner(body), call.server.identity.deployer):
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
    results = call.state.internal(_row(call, call.parameters["jobId"])).get("results") or {"totalRows": "0"}
    return {**reference, "jobComplete": True, **results}


def _owner(body: Body) -> str:
    kind = "serviceAccount" if body["user_email"].endswith("gserviceaccount.com") else "user"
    return f"{kind}:{body['user_email']}"


@handles("bigquery.jobs.get")
def _job(call: Call) -> Body:
    job = call.state.get(_row(call, call.parameters["jobId"]))
    where = str(call.parameters.get("location") or "").lower()
    full_id = f"{call.project}:{call.parameters['jobId']}"
    if job is None or (where and where != job["jobReference"]["location"].lower()):
        raise missing("Job", full_id)
    if call.principal != _owner(job):
        queries.need(call, None, "bigquery.jobs.get", f"Job {full_id}")
    return job


@handles("bigquery.jobs.list")
def listing(call: Call) -> dict[str, Any]:
    """The caller's jobs of the project; all of them for a principal with the right to list all."""
    jobs = [body for _, body in call.state.of("bigquery.jobs", f"bigquery/projects/{call.project}/jobs/")]
    if not queries.may(call, None, "bigquery.jobs.listAll"):
        jobs = [body for body in jobs if _owner(body) == call.principal]
    return {"kind": "bigquery#jobList", **generic.page(call, jobs, "jobs")}


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
