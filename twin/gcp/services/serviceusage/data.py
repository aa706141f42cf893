"""The services that a project can enable: titles, what each depends on, and the accounts that come with it.

Sources: `gcloud services list --available` for names and titles; "Service agents" of the IAM documentation
for accounts and their roles; dependencies as `gcloud services disable` reports them.
"""

from __future__ import annotations

from typing import Final

_TITLES: Final = {
    "accesscontextmanager": "Access Context Manager API",
    "aiplatform": "Vertex AI API",
    "anthos": "Anthos API",
    "artifactregistry": "Artifact Registry API",
    "autoscaling": "Cloud Autoscaling API",
    "backupdr": "Backup and DR Service API",
    "bigquery": "BigQuery API",
    "bigqueryconnection": "BigQuery Connection API",
    "bigquerydatapolicy": "BigQuery Data Policy API",
    "bigquerydatatransfer": "BigQuery Data Transfer API",
    "bigqueryreservation": "BigQuery Reservation API",
    "bigquerystorage": "BigQuery Storage API",
    "biglake": "BigLake API",
    "bigtable": "Cloud Bigtable API",
    "bigtableadmin": "Cloud Bigtable Admin API",
    "billingbudgets": "Cloud Billing Budget API",
    "binaryauthorization": "Binary Authorization API",
    "certificatemanager": "Certificate Manager API",
    "cloudapis": "Google Cloud APIs",
    "cloudasset": "Cloud Asset API",
    "cloudbilling": "Cloud Billing API",
    "cloudbuild": "Cloud Build API",
    "cloudfunctions": "Cloud Functions API",
    "cloudkms": "Cloud Key Management Service (KMS) API",
    "cloudquotas": "Cloud Quotas API",
    "cloudresourcemanager": "Cloud Resource Manager API",
    "cloudscheduler": "Cloud Scheduler API",
    "cloudtasks": "Cloud Tasks API",
    "cloudtrace": "Cloud Trace API",
    "compute": "Compute Engine API",
    "connectgateway": "Connect Gateway API",
    "container": "Kubernetes Engine API",
    "containeranalysis": "Container Analysis API",
    "containerfilesystem": "Container File System API",
    "containerscanning": "Container Scanning API",
    "containersecurity": "Container Security API",
    "datacatalog": "Google Cloud Data Catalog API",
    "datalineage": "Data Lineage API",
    "dataflow": "Dataflow API",
    "dataform": "Dataform API",
    "dataplex": "Cloud Dataplex API",
    "dataproc": "Cloud Dataproc API",
    "datastore": "Cloud Datastore API",
    "datastream": "Datastream API",
    "dns": "Cloud DNS API",
    "eventarc": "Eventarc API",
    "file": "Cloud Filestore API",
    "firestore": "Cloud Firestore API",
    "gkebackup": "Backup for GKE API",
    "gkeconnect": "GKE Connect API",
    "gkehub": "GKE Hub API",
    "iam": "Identity and Access Management (IAM) API",
    "iamcredentials": "IAM Service Account Credentials API",
    "iap": "Cloud Identity-Aware Proxy API",
    "logging": "Cloud Logging API",
    "lustre": "Google Cloud Managed Lustre API",
    "memorystore": "Memorystore API",
    "metastore": "Dataproc Metastore API",
    "memcache": "Cloud Memorystore for Memcached API",
    "monitoring": "Cloud Monitoring API",
    "multiclusteringress": "Multi Cluster Ingress API",
    "multiclusterservicediscovery": "Multi-Cluster Service Discovery API",
    "networkconnectivity": "Network Connectivity API",
    "networkmanagement": "Network Management API",
    "networksecurity": "Network Security API",
    "networkservices": "Network Services API",
    "opsconfigmonitoring": "Config Monitoring for Ops API",
    "orgpolicy": "Organization Policy API",
    "osconfig": "OS Config API",
    "oslogin": "Cloud OS Login API",
    "privateca": "Certificate Authority API",
    "pubsub": "Cloud Pub/Sub API",
    "recommender": "Recommender API",
    "redis": "Google Cloud Memorystore for Redis API",
    "run": "Cloud Run Admin API",
    "secretmanager": "Secret Manager API",
    "securitycenter": "Security Command Center API",
    "servicecontrol": "Service Control API",
    "servicedirectory": "Service Directory API",
    "servicehealth": "Service Health API",
    "servicemanagement": "Service Management API",
    "servicenetworking": "Service Networking API",
    "serviceusage": "Service Usage API",
    "spanner": "Cloud Spanner API",
    "sql-component": "Cloud SQL",
    "sqladmin": "Cloud SQL Admin API",
    "storage": "Cloud Storage API",
    "storage-api": "Google Cloud Storage JSON API",
    "storage-component": "Cloud Storage",
    "storageinsights": "Storage Insights API",
    "storagetransfer": "Storage Transfer API",
    "sts": "Security Token Service API",
    "telemetry": "Telemetry (OTLP) API",
    "tpu": "Cloud TPU API",
    "trafficdirector": "Traffic Director API",
    "videointelligence": "Cloud Video Intelligence API",
    "vpcaccess": "Serverless VPC Access API",
    "websecurityscanner": "Web Security Scanner API",
    "workflowexecutions": "Workflow Executions API",
    "workflows": "Workflows API",
    "workstations": "Cloud Workstations API",
}

DEPENDS: Final = {
    "container.googleapis.com": (
        "artifactregistry.googleapis.com",
        "autoscaling.googleapis.com",
        "bigquery.googleapis.com",
        "compute.googleapis.com",
        "containerfilesystem.googleapis.com",
        "dns.googleapis.com",
        "gkebackup.googleapis.com",
        "logging.googleapis.com",
        "monitoring.googleapis.com",
        "networkconnectivity.googleapis.com",
        "oslogin.googleapis.com",
        "pubsub.googleapis.com",
    ),
    "compute.googleapis.com": ("oslogin.googleapis.com",),
    "iam.googleapis.com": ("iamcredentials.googleapis.com",),
    "servicenetworking.googleapis.com": (),
    "bigquery.googleapis.com": ("bigquerystorage.googleapis.com",),
    "containerscanning.googleapis.com": ("containeranalysis.googleapis.com",),
    "binaryauthorization.googleapis.com": ("containeranalysis.googleapis.com",),
    "aiplatform.googleapis.com": ("storage.googleapis.com",),
    "cloudfunctions.googleapis.com": ("storage.googleapis.com", "pubsub.googleapis.com"),
    "dataproc.googleapis.com": ("compute.googleapis.com", "storage.googleapis.com"),
    "dataflow.googleapis.com": ("compute.googleapis.com", "storage.googleapis.com"),
    "vpcaccess.googleapis.com": ("compute.googleapis.com",),
    "tpu.googleapis.com": ("compute.googleapis.com",),
    "containeranalysis.googleapis.com": ("pubsub.googleapis.com",),
    "logging.googleapis.com": (),
}
"""What is enabled with a service, and what cannot be disabled while the service is enabled."""

AGENTS: Final = {
    "aiplatform.googleapis.com": ("service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com",),
    "artifactregistry.googleapis.com": ("service-{number}@gcp-sa-artifactregistry.iam.gserviceaccount.com",),
    "bigtableadmin.googleapis.com": ("service-{number}@gcp-sa-bigtable.iam.gserviceaccount.com",),
    "bigquerydatatransfer.googleapis.com": (
        "service-{number}@gcp-sa-bigquerydatatransfer.iam.gserviceaccount.com",
    ),
    "binaryauthorization.googleapis.com": (
        "service-{number}@gcp-sa-binaryauthorization.iam.gserviceaccount.com",
    ),
    "cloudbuild.googleapis.com": (
        "{number}@cloudbuild.gserviceaccount.com",
        "service-{number}@gcp-sa-cloudbuild.iam.gserviceaccount.com",
    ),
    "cloudfunctions.googleapis.com": ("service-{number}@gcf-admin-robot.iam.gserviceaccount.com",),
    "cloudscheduler.googleapis.com": ("service-{number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com",),
    "dataplex.googleapis.com": ("service-{number}@gcp-sa-dataplex.iam.gserviceaccount.com",),
    "datastream.googleapis.com": ("service-{number}@gcp-sa-datastream.iam.gserviceaccount.com",),
    "firestore.googleapis.com": ("service-{number}@gcp-sa-firestore.iam.gserviceaccount.com",),
    "cloudkms.googleapis.com": ("service-{number}@gcp-sa-cloudkms.iam.gserviceaccount.com",),
    "compute.googleapis.com": (
        "{number}-compute@developer.gserviceaccount.com",
        "service-{number}@compute-system.iam.gserviceaccount.com",
    ),
    "container.googleapis.com": (
        "service-{number}@container-engine-robot.iam.gserviceaccount.com",
        "service-{number}@gcp-sa-gkenode.iam.gserviceaccount.com",
    ),
    "containeranalysis.googleapis.com": ("service-{number}@container-analysis.iam.gserviceaccount.com",),
    "containerscanning.googleapis.com": (
        "service-{number}@gcp-sa-containerscanning.iam.gserviceaccount.com",
    ),
    "dataflow.googleapis.com": ("service-{number}@dataflow-service-producer-prod.iam.gserviceaccount.com",),
    "dataproc.googleapis.com": ("service-{number}@dataproc-accounts.iam.gserviceaccount.com",),
    "dns.googleapis.com": ("service-{number}@gcp-sa-dns.iam.gserviceaccount.com",),
    "eventarc.googleapis.com": ("service-{number}@gcp-sa-eventarc.iam.gserviceaccount.com",),
    "file.googleapis.com": ("service-{number}@cloud-filer.iam.gserviceaccount.com",),
    "gkebackup.googleapis.com": ("service-{number}@gcp-sa-gkebackup.iam.gserviceaccount.com",),
    "gkehub.googleapis.com": ("service-{number}@gcp-sa-gkehub.iam.gserviceaccount.com",),
    "iap.googleapis.com": ("service-{number}@gcp-sa-iap.iam.gserviceaccount.com",),
    "logging.googleapis.com": ("service-{number}@gcp-sa-logging.iam.gserviceaccount.com",),
    "monitoring.googleapis.com": ("service-{number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com",),
    "pubsub.googleapis.com": ("service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com",),
    "redis.googleapis.com": ("service-{number}@cloud-redis.iam.gserviceaccount.com",),
    "run.googleapis.com": ("service-{number}@serverless-robot-prod.iam.gserviceaccount.com",),
    "secretmanager.googleapis.com": ("service-{number}@gcp-sa-secretmanager.iam.gserviceaccount.com",),
    "servicenetworking.googleapis.com": ("service-{number}@service-networking.iam.gserviceaccount.com",),
    "sqladmin.googleapis.com": ("service-{number}@gcp-sa-cloud-sql.iam.gserviceaccount.com",),
    "storage.googleapis.com": ("service-{number}@gs-project-accounts.iam.gserviceaccount.com",),
    "tpu.googleapis.com": ("service-{number}@cloud-tpu.iam.gserviceaccount.com",),
    "vpcaccess.googleapis.com": ("service-{number}@gcp-sa-vpcaccess.iam.gserviceaccount.com",),
    "workflows.googleapis.com": ("service-{number}@gcp-sa-workflows.iam.gserviceaccount.com",),
}
"""The accounts that Google makes when a service is enabled. Those of some services (KMS, Secret Manager, SQL)
are made only when asked for (`generateServiceIdentity`): see ON_DEMAND."""

ON_DEMAND: Final = frozenset(
    {"cloudkms.googleapis.com", "secretmanager.googleapis.com", "sqladmin.googleapis.com"}
    | {"storage.googleapis.com", "firestore.googleapis.com", "bigtableadmin.googleapis.com"}
)
"""Services whose account comes only by `gcloud beta services identity create`, or when a client asks for it
(Cloud Storage's projects.serviceAccount.get)."""

AGENT_ROLES: Final = {
    "compute.googleapis.com": (
        ("roles/compute.serviceAgent", "service-{number}@compute-system.iam.gserviceaccount.com"),
    ),
    "container.googleapis.com": (
        ("roles/container.serviceAgent", "service-{number}@container-engine-robot.iam.gserviceaccount.com"),
        (
            "roles/container.defaultNodeServiceAgent",
            "service-{number}@gcp-sa-gkenode.iam.gserviceaccount.com",
        ),
    ),
    "artifactregistry.googleapis.com": (
        (
            "roles/artifactregistry.serviceAgent",
            "service-{number}@gcp-sa-artifactregistry.iam.gserviceaccount.com",
        ),
    ),
    "cloudscheduler.googleapis.com": (
        (
            "roles/cloudscheduler.serviceAgent",
            "service-{number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com",
        ),
    ),
    "dataplex.googleapis.com": (
        ("roles/dataplex.serviceAgent", "service-{number}@gcp-sa-dataplex.iam.gserviceaccount.com"),
    ),
    "dataproc.googleapis.com": (
        ("roles/dataproc.serviceAgent", "service-{number}@dataproc-accounts.iam.gserviceaccount.com"),
    ),
    "pubsub.googleapis.com": (
        ("roles/pubsub.serviceAgent", "service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"),
    ),
    "servicenetworking.googleapis.com": (
        (
            "roles/servicenetworking.serviceAgent",
            "service-{number}@service-networking.iam.gserviceaccount.com",
        ),
    ),
}
"""The roles that Google gives those accounts on the project. The default compute account gets none: new
organizations have iam.automaticIamGrantsForDefaultServiceAccounts enforced."""


def known(service: str) -> bool:
    """Whether Google has a service of that name that projects can enable."""
    return service.removesuffix(".googleapis.com") in _TITLES and service.endswith(".googleapis.com")


def title(service: str) -> str:
    """`Compute Engine API` of `compute.googleapis.com`."""
    return _TITLES.get(service.removesuffix(".googleapis.com"), service)


def every() -> list[str]:
    """All services, by name."""
    return [f"{name}.googleapis.com" for name in sorted(_TITLES)]
