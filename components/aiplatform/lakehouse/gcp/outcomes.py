"""Give access to tables once their statements are done, whatever becomes of the statements of other tables.

An error ends the program. What is not registered by then stays as it is: the readers of other tables, whose
access was withdrawn because their policies changed as well, would not get it back. So the error of one table
is held back until the readers of every table whose statements succeeded are registered.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Output
from pulumi_gcp import bigquery, organizations, storage

from aiplatform.lakehouse.gcp import bigquery_jobs as gcp_jobs
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
        written: storage.BucketObject,
        statements: Output[str],
    ) -> Output[str]:
        """A table's name for its IAM members, once its job is done without errors. A preview does not wait.

        written: the statements as an object, which is replaced with them. BigQuery forgets a job after six
        months ("Managing jobs"), and a refresh then removes it from the state: a new job replaces none, and
        the object alone has the members deleted before the statements run.

        An update raises StatementsError where the job fails, and fails again whenever its statements are
        repeated; the members of other tables are registered before."""
        where = f"table {path}"

        async def checked(parts: Sequence[Any]) -> str:
            statuses, job_id, text, _ = parts
            if _succeeded(statuses):
                return ""
            if pulumi.runtime.is_dry_run():
                failed = _errors(statuses)
                if failed:
                    pulumi.log.warn(f"{where}: {failed}; the next update repeats the statements", job)
                return ""
            try:
                await self._finish(where, job_id, text)
            except Exception as error:  # noqa: BLE001 - whatever it is, other tables' readers come first
                return str(error) if isinstance(error, StatementsError) else f"{where}: {error!r}"
            return ""

        async def released(parts: Sequence[Any]) -> str:
            known, error = parts
            if error:
                await self._others()
                raise StatementsError(error)
            return str(known)

        self._errors[path] = Output.all(job.statuses, job.job_id, statements, written.generation).apply(
            checked
        )
        return Output.all(name, self._errors[path]).apply(released)

    def waits(self, path: str, member: pulumi.Resource) -> None:
        """Note a member that has the name of a table from `once_done`."""
        self._members.setdefault(path, []).append(member)

    async def _finish(self, where: str, job_id: Any, text: Any) -> None:
        try:
            await self._wait(where, job_id, text)
        except ExpiredError:
            await self._wait(where, job_id, text)

    async def _wait(self, where: str, job_id: Any, text: Any) -> None:
        # Used here and nowhere kept.
        jobs = Jobs(self._context.project, self._context.region, await _token(self._context))
        # The program goes on meanwhile: other tables wait at the same time.
        await asyncio.to_thread(gcp_jobs.finish, jobs, where, str(job_id), str(text))

    async def _others(self) -> None:
        """Wait until the members of tables whose statements succeeded are registered. What fails there is an
        error of its own."""
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
    """The provider's access token, which it renews before it expires."""
    answer = organizations.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=context.parent))
    config: Any = await answer.future(with_unknowns=False)
    return config.access_token


def _succeeded(statuses: Sequence[Mapping[str, Any]] | None) -> bool:
    return bool(statuses) and all(each.get("state") == "DONE" for each in statuses) and not _errors(statuses)


def _errors(statuses: Sequence[Mapping[str, Any]] | None) -> str:
    problems: list[Mapping[str, Any]] = [
        problem for each in statuses or () for problem in each.get("error_results") or ()
    ]
    return "; ".join(str(problem.get("message")) for problem in problems)
