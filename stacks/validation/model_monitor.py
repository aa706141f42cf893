"""What monitors of models need of other topics: trainings, services, tables and classifications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiplatform._shared.args import Problem, got, nearest
from aiplatform.model_monitor.args import PUSHGATEWAY
from aiplatform.model_monitor.tables import OF_TYPE, REQUESTS, RESULTS
from aiplatform.serving.llm_logs import COLUMNS as MEASURED
from aiplatform.serving.llm_logs import TEXTS
from stacks.continuous_training_arguments import declared as trained
from stacks.model_monitor_arguments import (
    baseline_of,
    declared,
    is_measured,
    services,
    trained_monitors,
)
from stacks.settings import Settings
from stacks.settings.generated import stated

_TOPIC: Final = "model_monitor"
_NEEDED: Final[Mapping[str, str]] = {
    "lakehouse": "requests and results are its tables",
    "model_registry": "versions name their training data there",
    "continuous_training": "it compares with the tables that models are trained with",
}
_OF_TRAINING: Final = ("model_registry", "continuous_training")
"""What monitors of language models do not need."""
_INTERNAL: Final = "internal"
_PII: Final = "pii"
_DEFAULT: Final = ("public", _INTERNAL)
"""The classifications of a grant that states none."""
Table = Mapping[str, Any]


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what monitors lack, and what they would never find."""
    if settings.model_monitor is None:
        return
    needs_training = any(trained_monitors(settings, team) for team in declared(settings))
    for topic, reason in _NEEDED.items():
        if getattr(settings, topic) is None and (needs_training or topic not in _OF_TRAINING):
            yield Problem(_TOPIC, f"{reason}, and the file has none; expected the topic {topic}")
    yield from _pushgateway(settings)
    for team, monitors in declared(settings).items():
        path = f"{_TOPIC}.teams.{team}"
        if team not in settings.teams:
            expected = nearest(team, settings.teams) or "; expected a team of the topic teams"
            yield Problem(path, f"no team has this name{expected}")
            continue
        for model, monitor in monitors.items():
            where = f"{path}.monitors.{model}"
            if not _has_runtime(settings, team, monitor):
                continue  # reported of serving: what the monitor needs depends on the engine
            if is_measured(settings, team, monitor):
                yield from _measured(settings, team, where, monitor)
            else:
                yield from _baseline(settings, team, where, model)
            yield from _service(settings, team, where, model, monitor)
            yield from _tables(settings, team, where, model, monitor)


def _has_runtime(settings: Settings, team: str, monitor: Mapping[str, Any]) -> bool:
    """Return whether the runtime of a monitored service exists: one of the file, or the default of a pool
    (`vllm-POOL`). A service that does not exist is reported too, so that it counts as one that does."""
    served = services(settings, team).get(monitor["service"])
    runtimes: Mapping[str, Any] = stated(settings.serving).get("runtimes", {}) if settings.serving else {}
    return (
        served is None
        or served["runtime"] in runtimes
        or served["runtime"].partition("-")[2] in settings.gpu_pools
    )


def _pushgateway(settings: Settings) -> Iterator[Problem]:
    option = settings.addons.options.get(PUSHGATEWAY) if settings.addons is not None else None
    if settings.observability is not None and option is not None and option.enabled is False:
        yield Problem(
            f"addons.options.{PUSHGATEWAY}.enabled",
            "got false, and monitors send their numbers to it; expected true, or no topic model_monitor",
        )


def _baseline(settings: Settings, team: str, path: str, model: str) -> Iterator[Problem]:
    if settings.continuous_training is None or baseline_of(settings, team, model) is not None:
        return
    known = trained(settings).get(team, {})
    expected = (
        f"; expected one of continuous_training.teams.{team}.models{nearest(model, known)}"
        if known
        else "; expected the model in continuous_training, whose versions have the snapshot as a tag"
    )
    yield Problem(path, f"no baseline: nothing trains {model!r} of the team on a table{expected}")


def _measured(settings: Settings, team: str, path: str, monitor: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what a monitor of a language model states that nothing measures."""
    log: Mapping[str, Any] = services(settings, team)[monitor["service"]].get("request_log") or {}
    for key in ("predictions", "keys", "labels", "input_order"):
        if monitor.get(key):
            yield Problem(
                f"{path}.{key}",
                "stated, and requests to a language model are measured and not stored; expected it left out",
            )
    for index, column in enumerate(monitor["columns"]):
        where, name = f"{path}.columns[{index}]", column["name"]
        if name in TEXTS:
            yield from _text(where, column, bool(log.get("payloads")))
        elif name not in MEASURED:
            yield Problem(
                f"{where}.name",
                f"{got(name)}, which is not measured; expected one of {', '.join(MEASURED)}"
                f"{nearest(name, MEASURED)}",
            )
        elif column["type"] != MEASURED[name]:
            yield Problem(f"{where}.type", f"{got(column['type'])} of {name}; expected {MEASURED[name]}")


def _text(path: str, column: Mapping[str, Any], is_stored: bool) -> Iterator[Problem]:
    """Yield the problems of the text of a prompt or an answer."""
    name = column["name"]
    if not is_stored:
        yield Problem(
            f"{path}.name",
            f"{got(name)}, and the service stores no texts; expected it left out, or request_log.payloads",
        )
    if column["type"] != "category" or column.get("classification") != _PII or column.get("pii_consent"):
        yield Problem(
            path,
            f"{name} is a text of users; expected type category, classification pii, and no pii_consent: it "
            "is stored, and neither compared nor in a report",
        )


def _service(
    settings: Settings, team: str, path: str, model: str, monitor: Mapping[str, Any]
) -> Iterator[Problem]:
    service = monitor.get("service")
    if service is None:
        return
    path = f"{path}.service"
    if settings.serving is None:
        yield Problem(path, "the file serves no models; expected the topic serving, or inference_services")
        return
    known = services(settings, team)
    if service not in known:
        yield Problem(
            path,
            f"the team has no service {service!r}; expected one of serving.teams.{team}.services"
            f"{nearest(service, known)}",
        )
        return
    served = known[service]
    if served["model"] != model:
        yield Problem(
            path, f"{service!r} serves the model {served['model']!r}; expected one that serves {model!r}"
        )
    log = served.get("request_log")
    where = f"serving.teams.{team}.services.{service}.request_log"
    if log is None:
        yield Problem(path, f"{service!r} stores no requests; expected {where}, if only as {{}}")
    elif log.get("mode", "all") != "all":
        yield Problem(
            f"{where}.mode", f"{got(log['mode'])}, and a monitor joins requests and answers; expected all"
        )


def _tables(
    settings: Settings, team: str, path: str, model: str, monitor: Mapping[str, Any]
) -> Iterator[Problem]:
    if settings.lakehouse is None:
        return
    entries: list[Table] = stated(settings.lakehouse).get("tables", [])
    tables = {f"{table['zone']}.{table['name']}": table for table in entries}
    labels = monitor.get("labels")
    # Jobs look up what is stored before they write.
    named = [(key, monitor[key], ["read", "write"]) for key in ("requests_table", "results_table")]
    named += [("labels.table", labels["table"], ["read"])] if labels else []
    is_trained = not is_measured(settings, team, monitor)
    baseline = baseline_of(settings, team, model) if is_trained else None
    for key, table, actions in named:
        if table not in tables:
            yield Problem(
                f"{path}.{key}",
                f"the lakehouse has no table {table!r}; expected ZONE.NAME of a declared one"
                f"{nearest(table, tables)}",
            )
        else:
            yield from _grants(settings, team, f"{path}.{key}", tables[table], actions)
    if monitor["requests_table"] in tables:
        yield from _requests(path, monitor, tables[monitor["requests_table"]], tables.get(baseline or ""))
    if monitor["results_table"] in tables:
        yield from _has(f"{path}.results_table", tables[monitor["results_table"]], RESULTS)
    if baseline in tables:
        yield from _grants(settings, team, path, tables[baseline], ["read"])
    if labels and labels["table"] in tables:
        yield from _labels(path, labels, tables[labels["table"]])


def _requests(
    path: str, monitor: Mapping[str, Any], table: Table, baseline: Table | None
) -> Iterator[Problem]:
    """Yield what the table of requests lacks: it is a table of the lakehouse like others, with an owner, and
    its classifications are those of the monitor."""
    name = f"{table['zone']}.{table['name']}"
    if table.get("owner") is None:
        yield Problem(
            f"{path}.requests_table", f"{name} has no owner; expected `owner` of the lakehouse's table"
        )
    yield from _has(f"{path}.requests_table", table, REQUESTS)
    columns = _columns(table)
    for key in ("columns", "predictions"):
        for index, column in enumerate(monitor.get(key, [])):
            where = f"{path}.{key}[{index}]"
            known = columns.get(column["name"])
            if known is None:
                yield Problem(
                    f"{where}.name",
                    f"{name} has no column {column['name']!r}; expected one of its columns"
                    f"{nearest(column['name'], columns)}",
                )
                continue
            expected = OF_TYPE.get(column["type"], known["type"])
            if known["type"] != expected:
                yield Problem(
                    f"{where}.type",
                    f"{got(column['type'])}, and {name} has it as {known['type']}; expected {expected} there",
                )
            yield from _classified(where, column, known, name)
            if baseline is not None:
                yield from _compared(where, column, baseline, is_input=key == "columns")
    for index, key in enumerate(monitor.get("keys", [])):
        if columns.get(key, {}).get("type") != "string":
            yield Problem(f"{path}.keys[{index}]", f"{got(key)}; expected a column of {name} that is string")


def _classified(
    path: str, column: Mapping[str, Any], known: Mapping[str, Any], table: str
) -> Iterator[Problem]:
    """Yield a classification that is not the table's: by it values are in reports or not."""
    stated_one = column.get("classification", _INTERNAL)
    actual = known.get("classification", _INTERNAL)
    if stated_one != actual:
        yield Problem(
            f"{path}.classification", f"{got(stated_one)}, and {table} has {actual}; expected the same"
        )


def _compared(path: str, column: Mapping[str, Any], baseline: Table, *, is_input: bool) -> Iterator[Problem]:
    """Yield a column that the baseline lacks, or whose values are pii there."""
    name = column.get("baseline_column") or (column["name"] if is_input else None)
    if name is None:
        return
    columns = _columns(baseline)
    table = f"{baseline['zone']}.{baseline['name']}"
    key = "baseline_column" if column.get("baseline_column") else "name"
    if name not in columns:
        yield Problem(
            f"{path}.{key}",
            f"the baseline {table} has no column {name!r}; expected one of its columns"
            f"{nearest(name, columns)}",
        )
    elif columns[name].get("classification") == _PII and column.get("classification") != _PII:
        yield Problem(
            f"{path}.classification",
            f"{table} has {name!r} as pii, which a report would show; expected pii, here and in the table of "
            "requests, and `pii_consent` where the report may",
        )


def _labels(path: str, labels: Mapping[str, Any], table: Table) -> Iterator[Problem]:
    columns = _columns(table)
    for key in ("key", "label"):
        if labels[key] not in columns:
            yield Problem(
                f"{path}.labels.{key}",
                f"{table['zone']}.{table['name']} has no column {labels[key]!r}; expected one of its columns"
                f"{nearest(labels[key], columns)}",
            )


def _has(path: str, table: Table, expected: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the columns that a table lacks, all in one problem."""
    columns = _columns(table)
    missing = [
        f"{name} {kind}" for name, kind in expected.items() if columns.get(name, {}).get("type") != kind
    ]
    if missing:
        yield Problem(
            path, f"{table['zone']}.{table['name']} lacks columns; expected also {', '.join(missing)}"
        )


def _columns(table: Table) -> dict[str, Mapping[str, Any]]:
    return {column["name"]: column for column in table["columns"]}


def _grants(
    settings: Settings, team: str, path: str, table: Table, actions: Sequence[str]
) -> Iterator[Problem]:
    """Yield the actions for which the team has no grant: Jobs have its identity, and the catalog issues
    credentials for files to principals alone that have all columns and rows of the table."""
    name = f"{table['zone']}.{table['name']}"
    entries: list[Mapping[str, Any]] = (
        stated(settings.lakehouse).get("grants", []) if settings.lakehouse else []
    )
    grants = [
        entry
        for entry in entries
        if entry["principal"] == team
        and (name in entry.get("tables", []) or table["zone"] in entry.get("zones", []))
    ]
    classes = {column.get("classification", _INTERNAL) for column in table["columns"]}
    for action in actions:
        known = [grant for grant in grants if action in grant["actions"]]
        if not known:
            yield Problem(
                path,
                f"the team may not {action} {name}; expected an entry of lakehouse.grants for the principal "
                f"{team}",
            )
        elif not any(
            classes <= set(grant.get("classifications", _DEFAULT)) and grant.get("rows") is None
            for grant in known
        ):
            yield Problem(
                path,
                f"the team may {action} some columns or rows of {name} only, and a Job reads its files; "
                f"expected a grant with classifications {', '.join(sorted(classes))}, without rows",
            )
