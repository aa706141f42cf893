"""Submit a training job by the Kubeflow SDK: `pip install kubeflow`, and a kubeconfig of the cluster.

python submit.py research NAME@sha256:... COMMIT churn-7 --table=acme_prod_curated.customers ...
"""

import sys

from kubeflow.common.types import KubernetesBackendConfig
from kubeflow.trainer import CustomTrainerContainer, TrainerClient
from kubeflow.trainer.options import Labels, Name, TrainerArgs

namespace, image, commit, run, *arguments = sys.argv[1:]
client = TrainerClient(KubernetesBackendConfig(namespace=namespace))
job = client.train(
    runtime="torch-cpu",
    trainer=CustomTrainerContainer(image, num_nodes=2, env={"IMAGE": image, "CODE_COMMIT": commit}),
    options=[
        Name(run),
        Labels({"kueue.x-k8s.io/queue-name": "default"}),
        TrainerArgs([*arguments, f"--run-name={run}"]),
    ],
)
client.wait_for_job_status(job, timeout=86_400)
