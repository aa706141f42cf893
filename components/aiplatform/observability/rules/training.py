"""Alerts of training: runs without progress, runs that start again and again."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings

_RUN: Final = "JobSet {{ $labels.namespace }}/{{ $labels.label_jobset_sigs_k8s_io_jobset_name }}"


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    yield Alert(
        name="JobFailed",
        severity="info",
        # Not by all labels: a new Pod of kube-state-metrics has another address.
        expression=(
            'kube_job_failed{condition="true"} == 1 '
            'unless on (namespace, job_name) kube_job_failed{condition="true"} offset 30m == 1'
        ),
        summary="Job {{ $labels.namespace }}/{{ $labels.job_name }} failed",
        description="The Job does not start again by itself.",
        pending="0s",
    )
    if "jobset" not in settings.addons:
        return
    # The counters have one series for each JobSet, which begins at 1: increase() of it is 0.
    yield Alert(
        name="JobSetFailed",
        severity="info",
        expression=(
            "jobset_failed_total > 0 unless on (namespace, jobset_name) jobset_failed_total offset 30m > 0"
        ),
        summary="JobSet {{ $labels.namespace }}/{{ $labels.jobset_name }} failed",
        description="The JobSet has used its restarts and does not start again by itself.",
        pending="0s",
    )
    yield Alert(
        name="TrainingRestartLoop",
        severity="warning",
        expression="increase(kube_customresource_jobset_restarts[1h]) >= 3",
        summary="JobSet {{ $labels.namespace }}/{{ $labels.name }} starts again and again",
        description="{{ $value | humanize }} restarts in the last hour.",
        pending="0s",
    )
    if settings.gpu_metrics:
        # A collective operation that waits for ever keeps the engines busy, but moves no data in memory.
        traffic = 'max by (namespace, pod) (max_over_time(DCGM_FI_PROF_DRAM_ACTIVE{pod!=""}[10m]))'
        run = (
            "max by (namespace, pod, label_jobset_sigs_k8s_io_jobset_name) "
            '(kube_pod_labels{label_jobset_sigs_k8s_io_jobset_name!=""})'
        )
        yield Alert(
            name="TrainingNoProgress",
            severity="warning",
            expression=(
                "max by (namespace, label_jobset_sigs_k8s_io_jobset_name) "
                f"({run} * on (namespace, pod) group_left () {traffic}) < 0.01"
            ),
            summary=f"{_RUN} makes no progress",
            description="None of its GPUs read or wrote memory for half an hour, while they are allocated.",
            pending="30m",
        )
