"""Two tasks that use Google Cloud: one with a key from a Secret, one with an identity and no key.

No secret stands here, nor in Airflow's database: the annotations name credentials of the policy's settings
(examples/settings/connections.yaml), and the policy adds what they are made of when the pod is created, if the operator
allows it.

(A DAG file must not be called like a package. Airflow puts this folder on Python's path, and a `google.py` here would
hide Google's libraries.)
"""

from __future__ import annotations

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import dag, task
from kubernetes.client import models as k8s

# This annotation is the one that Airflow 1.10's `gcp_service_account_key` wrote. `airflow-pod-identity/credentials`
# would do the same. The policy mounts the Secret's key into the container `base` and sets
# GOOGLE_APPLICATION_CREDENTIALS to the file.
WITH_KEY = k8s.V1Pod(metadata=k8s.V1ObjectMeta(annotations={"iam.cloud.google.com/service-account": "google-key"}))


@dag(dag_id="google", schedule=None)
def google():
    @task(executor_config={"pod_override": WITH_KEY})
    def list_orders() -> list[str]:
        # Imported here, so that the file can be read where the provider is not installed.
        from airflow.providers.google.cloud.hooks.gcs import GCSHook

        # The connection `google_cloud_default` must exist and must hold no key: then the hook asks
        # google.auth.default(), which reads GOOGLE_APPLICATION_CREDENTIALS.
        return GCSHook().list("team-a-orders")

    # This pod has no Airflow in it. gcloud does not read GOOGLE_APPLICATION_CREDENTIALS but
    # CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE, which the policy sets too.
    export_orders = KubernetesPodOperator(
        task_id="export_orders",
        namespace="airflow",
        image="gcr.io/google.com/cloudsdktool/google-cloud-cli:slim",
        cmds=["gcloud"],
        arguments=["storage", "rsync", "gs://team-a-orders", "gs://team-a-export"],
        annotations={"airflow-pod-identity/credentials": "google-federated"},
        # Google trusts this ServiceAccount. The credential is allowed to its pods alone.
        service_account_name="google-export",
    )

    list_orders() >> export_orders


google()
