"""Routes of MLflow 3.15.2: those that change something, by what they can do to a promoted version, and those
whose rights MLflow does not evaluate.

Flask's routes by their endpoint, those that FastAPI serves past Flask by their path. A route in none of these
sets is refused (registry_guard). A test compares the sets with the server's own routes, so that a new version
of MLflow is reviewed before it is the default.
"""

GUARDED = frozenset(
    [
        "_set_registered_model_alias",
        "_delete_registered_model_alias",
        "_rename_registered_model",
        "_delete_registered_model",
        "_set_registered_model_tag",
        "_delete_registered_model_tag",
        "_delete_model_version",
        "_transition_stage",
        "_set_model_version_tag",
        "_delete_model_version_tag",
        "_delete_logged_model",
        "_finalize_logged_model",
        "_delete_run",
        "_create_experiment",
        "_delete_experiment",
        "_upload_artifact",
        "serve_upload_artifact",
        "_delete_artifact_mlflow_artifacts",
        "_create_multipart_upload_artifact",
        "_complete_multipart_upload_artifact",
        "_abort_multipart_upload_artifact",
    ]
)
"""They reach promoted versions: each has a check in registry_guard."""

ADMIN = frozenset(
    [
        "<lambda>",
        "_add_dataset_to_experiments_handler",
        "_add_guardrail_to_endpoint",
        "_cancel_job",
        "_cancel_prompt_optimization_job",
        "_create_dataset_handler",
        "_create_gateway_guardrail",
        "_create_gateway_secret",
        "_create_issue",
        "_create_presigned_upload_url",
        "_delete_dataset_handler",
        "_delete_dataset_records_handler",
        "_delete_dataset_tag_handler",
        "_delete_demo",
        "_delete_gateway_guardrail",
        "_delete_prompt_optimization_job",
        "_delete_workspace_handler",
        "_generate_demo",
        "_invoke_genai_evaluate_handler",
        "_invoke_issue_detection_handler",
        "_remove_dataset_from_experiments_handler",
        "_remove_guardrail_from_endpoint",
        "_search_evaluation_datasets_handler",
        "_search_issues",
        "_set_dataset_tags_handler",
        "_update_endpoint_guardrail_config",
        "_update_issue",
        "_update_workspace_handler",
        "_upsert_dataset_records_handler",
        "grant_user_permission",
        "revoke_user_permission",
        "serve_gateway_proxy",
    ]
)
"""For `admin` alone. `<lambda>` is the sign-up form: accounts are declared. A URL that writes to the bucket
passes by every check. MLflow evaluates no rights of an account for most others: evaluation datasets, issues,
guardrails, jobs and secrets of its gateway have no owner. Rights are granted by the file, not by accounts."""

ADMIN_READS = frozenset(
    [
        "_get_budget_policy",
        "_get_dataset_experiment_ids_handler",
        "_get_dataset_handler",
        "_get_dataset_records_handler",
        "_get_gateway_guardrail",
        "_get_issue",
        "_get_job",
        "_get_prompt_optimization_job",
        "_get_provider_config",
        "_get_secrets_config",
        "_get_workspace_handler",
        "_list_budget_policies",
        "_list_budget_windows",
        "_list_endpoint_guardrail_configs",
        "_list_gateway_endpoints",
        "_list_gateway_guardrails",
        "_list_gateway_model_definitions",
        "_list_gateway_secrets",
        "_list_supported_models",
        "_list_supported_providers",
        "get_metric_history_bulk_interval_handler",
    ]
)
"""Reads for which MLflow evaluates no rights on one of their paths: there for `admin` alone. For lists of
supported models the server waits for an answer from the internet."""

OPEN = frozenset(
    [
        "_get_server_info",
        "_not_implemented",
        "health",
        "serve",
        "serve_get_ui_telemetry",
        "serve_post_ui_telemetry",
        "serve_static_file",
        "static",
        "version",
    ]
)
"""They answer nothing that an account created: the user interface, and the server's own state."""

FILTERED = frozenset(
    [
        "_graphql",
        "_list_workspaces_handler",
        "_search_experiments",
        "_search_logged_models",
        "_search_model_versions",
        "_search_registered_models",
        "_search_runs",
    ]
)
"""MLflow evaluates the rights of each entry of the answer in place of the request's."""

FREE = frozenset(
    [
        "_add_items_to_review_queue",
        "_attach_model_to_gateway_endpoint",
        "_batch_get_trace_infos",
        "_calculate_trace_filter_correlation",
        "_create_assessment",
        "_create_budget_policy",
        "_create_gateway_endpoint",
        "_create_gateway_endpoint_binding",
        "_create_gateway_model_definition",
        "_create_label_schema",
        "_create_logged_model",
        "_create_model_version",
        "_create_presigned_download_url",
        "_create_prompt_optimization_job",
        "_create_registered_model",
        "_create_review_queue",
        "_create_run",
        "_create_webhook",
        "_create_workspace_handler",
        "_delete_assessment",
        "_delete_budget_policy",
        "_delete_experiment_tag",
        "_delete_gateway_endpoint",
        "_delete_gateway_endpoint_binding",
        "_delete_gateway_endpoint_tag",
        "_delete_gateway_model_definition",
        "_delete_gateway_secret",
        "_delete_label_schema",
        "_delete_logged_model_tag",
        "_delete_review_queue",
        "_delete_scorer",
        "_delete_tag",
        "_delete_trace_tag",
        "_delete_trace_tag_v3",
        "_delete_traces",
        "_delete_webhook",
        "_deprecated_end_trace_v2",
        "_deprecated_start_trace_v2",
        "_detach_model_from_gateway_endpoint",
        "_get_latest_versions",
        "_get_or_create_user_queue",
        "_graphql",
        "_invoke_scorer_handler",
        "_link_prompts_to_trace",
        "_link_traces_to_run",
        "_log_batch",
        "_log_inputs",
        "_log_logged_model_params",
        "_log_metric",
        "_log_model",
        "_log_outputs",
        "_log_param",
        "_not_implemented",
        "_query_trace_metrics",
        "_register_scorer",
        "_remove_items_from_review_queue",
        "_restore_experiment",
        "_restore_run",
        "_search_experiments",
        "_search_logged_models",
        "_search_prompt_optimization_jobs",
        "_search_runs",
        "_search_traces_v3",
        "_set_experiment_tag",
        "_set_gateway_endpoint_tag",
        "_set_logged_model_tags",
        "_set_review_queue_item_status",
        "_set_tag",
        "_set_trace_tag",
        "_set_trace_tag_v3",
        "_start_trace_v3",
        "_test_webhook",
        "_update_assessment",
        "_update_budget_policy",
        "_update_experiment",
        "_update_gateway_endpoint",
        "_update_gateway_model_definition",
        "_update_gateway_secret",
        "_update_label_schema",
        "_update_model_version",
        "_update_registered_model",
        "_update_review_queue",
        "_update_run",
        "_update_webhook",
        "_upsert_online_scoring_config",
        "add_role_permission",
        "assign_role",
        "create_role",
        "create_user",
        "delete_role",
        "delete_user",
        "remove_role_permission",
        "serve_create_promptlab_run",
        "serve_post_ui_telemetry",
        "serve_search_datasets",
        "unassign_role",
        "update_role",
        "update_role_permission",
        "update_user_admin",
        "update_user_password",
    ]
)
"""They change neither what an alias resolves to nor its files. MLflow's own rights apply. Those that start
jobs fail: the server runs none (MLFLOW_SERVER_ENABLE_JOB_EXECUTION). GraphQL has no mutation that writes."""

NATIVE_ADMIN = ("/ajax-api/3.0/jobs", "/ajax-api/3.0/mlflow/assistant")
"""The assistant runs tools as the server. Every account would read and cancel all jobs."""

NATIVE_FREE = (
    "/ajax-api/3.0/mlflow/mcp-servers",
    "/api/3.0/mlflow/mcp-servers",
    "/gateway/",
    "/v1/traces",
)

NATIVE_FILES = ("/ajax-api/2.0/mlflow-artifacts/artifacts/", "/api/2.0/mlflow-artifacts/artifacts/")
"""Uploads: what follows is the file's path."""
