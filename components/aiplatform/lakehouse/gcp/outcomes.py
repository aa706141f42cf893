"""Grant access to tables once their statements are done, regardless of the statements of other tables.

An error ends the program. What is not registered by then stays as it is: the readers of other tables, whose
access was revoked because their policies changed as well, would not get it back. So the error of one table is
delayed until the readers of every table whose statements succeeded are registered.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Output
from pulumi_gcp import bigquery, organizations, storage

from aiplatform.lakehouse.gcp import bigquery_jobs
from aiplatform.lakehouse.gcp.bigquery_jobs import ExpiredError, Jobs, StatementsError
from aiplatform.lakehouse.gcp.context import Context


class Outcomes:
    """The statements of all tables of a lakehouse, and the members that wait for them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._errors: dict[str, Output[str]] = {}
        self._members: dict[str, list[pulumi.Resource]] = {}

    def once_done(
        self,
        path: str,
        name: Output[str],
        job: bigquery.Job,
        script: storage.BucketObject,
        statements: Output[str],
    ) -> Output[str]:
        """Return a table's name for its IAM members, once its job is done without errors. A preview does not
        wait.

        script: the statements as an object, which is replaced with them. BigQuery deletes a job after six
        months ("Managing jobs"), and a refresh then removes it from the state: a new job replaces none, and
        only the object causes the members to be deleted before the statements run.

        An update raises StatementsError where the job fails, and fails again whenever its statements are
        repeated; the members of other tables are registered before."""
        where = f"table {path}"

        async def checked(parts: Sequence[Any]) -> str:
            statuses, job_id, text, _ = parts
            if _succeeded(statuses):
                return ""
            if pulumi.runtime.is_dry_run():
                errors = _errors(statuses)
                if errors:
                    pulumi.log.warn(f"{where}: {errors}; the next update repeats the statements", job)
                return ""
            try:
                await self._finish(where, job_id, text)
            except Exception as error:  # noqa: BLE001 - after any error other tables' readers come first
                return str(error) if isinstance(error, StatementsError) else f"{where}: {error!r}"
            return ""

        async def released(parts: Sequence[Any]) -> str:
            table_name, error = parts
            if error:
                await self._register_other_members()
                raise StatementsError(error)
            return str(table_name)

        self._errors[path] = Output.all(job.statuses, job.job_id, statements, script.generation).apply(
            checked
        )
        return Output.all(name, self._errors[path]).apply(released)

    def add_member(self, path: str, member: pulumi.Resource) -> None:
        """Add a member that takes the name of a table from `once_done`."""
        self._members.setdefault(path, []).append(member)

    async def _finish(self, where: str, job_id: Any, text: Any) -> None:
        try:
            await self._wait(where, job_id, text)
        except ExpiredError:
            await self._wait(where, job_id, text)

    async def _wait(self, where: str, job_id: Any, text: Any) -> None:
        # The token is not stored.
        jobs = Jobs(self._context.project, self._context.region, await _token(self._context))
        # In a thread: other tables wait at the same time.
        await asyncio.to_thread(bigquery_jobs.finish, jobs, where, str(job_id), str(text))

    async def _register_other_members(self) -> None:
        """Wait until the members of tables whose statements succeeded are registered. Their failures are
        separate errors."""
        paths = list(self._errors)
        errors = await asyncio.gather(
            *(self._errors[path].future() for path in paths), return_exceptions=True
        )
        succeeded = [path for path, error in zip(paths, errors, strict=True) if error == ""]
        await asyncio.gather(
            *(member.urn.future() for path in succeeded for member in self._members.get(path, ())),
            return_exceptions=True,
        )


async def _token(context: Context) -> str:
    """Return the provider's access token, which the provider renews before it expires."""
    client = organizations.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=context.parent))
    config: Any = await client.future(with_unknowns=False)
    return config.access_token


def _succeeded(statuses: Sequence[Mapping[str, Any]] | None) -> bool:
    done = bool(statuses) and all(status.get("state") == "DONE" for status in statuses or ())
    return done and not _errors(statuses)


def _errors(statuses: Sequence[Mapping[str, Any]] | None) -> str:
    problems: list[Mapping[str, Any]] = [
        problem for status in statuses or () for problem in status.get("error_results") or ()
    ]
    return "; ".join(str(problem.get("message")) for problem in problems)
