"""The platform itself: its controllers, features and models, certificates, and the monitoring."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import (
    Limits,
    Query,
    board,
    graph,
    listing,
    number,
)
from aiplatform.observability.settings import Settings

NAME: Final = "platform"
_TARGETS: Final = "up == 0"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    result = board(NAME, "Platform", "Controllers, features and models, certificates, and the monitoring.")
    _controllers(result)
    _features_and_models(result, settings)
    if "cert-manager" in settings.addons:
        _certificates(result)
    if settings.logs or settings.traces:
        _collectors(result, settings)
    _monitoring(result, settings)
    return result


def _controllers(board: Dashboard) -> None:
    board.with_row(Row("Controllers"))
    missing = "kube_deployment_spec_replicas - kube_deployment_status_replicas_available"
    board.with_panel(
        listing(
            "Deployments with missing Pods",
            "How many Pods are not available.",
            Query(f"max by (namespace, deployment) ({missing}) > 0"),
        )
    )
    wanted = "kube_daemonset_status_desired_number_scheduled - kube_daemonset_status_number_available"
    board.with_panel(
        listing(
            "DaemonSets with missing Pods",
            "How many nodes are without one.",
            Query(f"max by (namespace, daemonset) ({wanted}) > 0"),
        )
    )
    board.with_panel(
        graph(
            "Containers that start again and again",
            "Restarts in the last hour.",
            [
                Query(
                    "sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[1h])) > 1",
                    "{{namespace}}/{{pod}}",
                )
            ],
        )
    )
    board.with_panel(
        graph(
            "Requests that webhooks refuse",
            "A second, by webhook.",
            [
                Query(
                    "sum by (name) (rate(apiserver_admission_webhook_rejection_count[5m])) > 0",
                    "{{name}}",
                )
            ],
        )
    )
    total = "sum by (verb) (rate(apiserver_request_total[5m]))"
    errors = 'sum by (verb) (rate(apiserver_request_total{code=~"5.."}[5m]))'
    board.with_panel(
        graph(
            "Errors of the API server",
            "Share of requests, by verb.",
            [Query(f"{errors} / {total} > 0", "{{verb}}")],
            "percentunit",
        )
    )


def _features_and_models(board: Dashboard, settings: Settings) -> None:
    board.with_row(Row("Features and models"))
    available = "max by (namespace) (kube_deployment_status_replicas_available{{deployment={name}}})"
    for title, name in (("Feature server", '"feature-server"'), ("Model registry", '"mlflow"')):
        board.with_panel(
            number(title, "Pods that are available.", Query(available.format(name=name), "{{namespace}}"))
        )
    materializer = '{cronjob="feature-materializer"}'
    age = f"time() - max by (namespace) (kube_cronjob_status_last_successful_time{materializer})"
    board.with_panel(
        graph(
            "Age of online features",
            "Time since the last run that wrote them.",
            [Query(age, "{{namespace}}")],
            "s",
        )
    )
    if settings.model_registry:
        _registry_requests(board)
    if settings.feature_store:
        _feature_requests(board)


def _registry_requests(board: Dashboard) -> None:
    board.with_panel(
        graph(
            "Requests to the model registry",
            "A second, by status. Uploads of files are not counted.",
            [Query("sum by (status) (rate(mlflow_http_request_total[5m]))", "{{status}}")],
        )
    )
    buckets = "sum by (le) (rate(mlflow_http_request_duration_seconds_bucket[5m]))"
    board.with_panel(
        graph(
            "Time of a request to the model registry",
            "Half of them, and 95 %, take at most.",
            [
                Query(f"histogram_quantile(0.5, {buckets})", "half"),
                Query(f"histogram_quantile(0.95, {buckets})", "95 %"),
            ],
            "s",
        )
    )


def _feature_requests(board: Dashboard) -> None:
    board.with_panel(
        graph(
            "Requests to the feature server",
            "A second, by status.",
            [Query("sum by (status) (rate(feast_feature_server_request_total[5m]))", "{{status}}")],
        )
    )
    latency = "sum by (le) (rate(feast_feature_server_request_latency_seconds_bucket[5m]))"
    reads = "sum by (le) (rate(feast_feature_server_online_store_read_duration_seconds_bucket[5m]))"
    board.with_panel(
        graph(
            "Time of a request for features",
            "95 % take at most; of it, reading the online store.",
            [
                Query(f"histogram_quantile(0.95, {latency})", "request"),
                Query(f"histogram_quantile(0.95, {reads})", "online store"),
            ],
            "s",
        )
    )
    absent = 'sum by (feature_view) (rate(feast_online_features_status_total{status="not_found"}[5m]))'
    every = "sum by (feature_view) (rate(feast_online_features_status_total[5m]))"
    board.with_panel(
        graph(
            "Features that are not in the online store",
            "Share of the requested values.",
            [Query(f"{absent} / {every}", "{{feature_view}}")],
            "percentunit",
        )
    )
    board.with_panel(
        graph(
            "Age of each feature view",
            "Time since the end of the interval that was last written.",
            [Query("max by (feature_view) (feast_feature_freshness_seconds)", "{{feature_view}}")],
            "s",
        )
    )


def _certificates(board: Dashboard) -> None:
    board.with_row(Row("Certificates"))
    expires = "min by (namespace, name) (certmanager_certificate_expiration_timestamp_seconds > 0)"
    board.with_panel(
        listing(
            "Certificates that expire first",
            "Time that is left.",
            Query(f"bottomk(20, {expires} - time())"),
            "s",
        )
    )
    ready = 'max by (namespace, name) (certmanager_certificate_ready_status{condition="True"})'
    board.with_panel(
        listing("Certificates that are not ready", "Their Secret is missing or old.", Query(f"{ready} == 0"))
    )


def _collectors(board: Dashboard, settings: Settings) -> None:
    board.with_row(Row("Logs and traces"))
    if settings.logs:
        read = 'sum(rate(fluentbit_input_records_total{name=~"tail.*"}[5m]))'
        board.with_panel(
            graph(
                "Log records",
                "A second: that Fluent Bit reads, stores and loses.",
                [
                    Query(read, "read"),
                    Query("sum(rate(fluentbit_output_proc_records_total[5m]))", "stored"),
                    Query("sum(rate(fluentbit_output_dropped_records_total[5m]))", "lost"),
                ],
            )
        )
        board.with_panel(
            graph(
                "Waiting logs",
                "Chunks of up to 2 MiB on a node, which wait for the store.",
                [Query("topk(10, fluentbit_storage_chunks)", "{{pod}}")],
            )
        )
    if settings.traces:
        board.with_panel(
            graph(
                "Spans",
                "A second: that Pods send, that are stored, refused and lost. Sampling leaves out the rest.",
                [
                    Query("sum(rate(otelcol_receiver_accepted_spans[5m]))", "sent by Pods"),
                    Query("sum(rate(otelcol_exporter_sent_spans[5m]))", "stored"),
                    Query("sum(rate(otelcol_receiver_refused_spans[5m]))", "refused"),
                    Query("sum(rate(otelcol_exporter_send_failed_spans[5m]))", "lost"),
                ],
            )
        )


def _monitoring(board: Dashboard, settings: Settings) -> None:
    board.with_row(Row("Monitoring"))
    for title, text, expression, limits in (
        ("Series", "That Prometheus holds in memory.", "max(prometheus_tsdb_head_series)", None),
        ("Targets that do not answer", "Nothing is known of them.", f"count({_TARGETS})", Limits(1, 5)),
        (
            "Failed rules",
            "Evaluations in the last hour.",
            "sum(increase(prometheus_rule_evaluation_failures_total[1h]))",
            Limits(1, 10),
        ),
        (
            "Failed notifications",
            "Of Alertmanager, in the last hour.",
            "sum(increase(alertmanager_notifications_failed_total[1h]))",
            Limits(1, 10),
        ),
    ):
        board.with_panel(number(title, text, Query(expression), limits=limits))
    board.with_panel(listing("Targets that do not answer", "Since the last scrape.", Query(_TARGETS)))
    board.with_panel(
        graph(
            "Samples",
            "A second.",
            [Query("sum by (pod) (rate(prometheus_tsdb_head_samples_appended_total[5m]))", "{{pod}}")],
        )
    )
    if settings.long_term_storage:
        delay = (
            "max by (pod) (prometheus_remote_storage_queue_highest_timestamp_seconds) "
            "- max by (pod) (prometheus_remote_storage_queue_highest_sent_timestamp_seconds)"
        )
        board.with_panel(
            graph("Delay of the long-term storage", "Of the newest sample.", [Query(delay, "{{pod}}")], "s")
        )
