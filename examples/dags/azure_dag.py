"""Two tasks that use Azure with a workload identity and no secret.

No secret stands here, nor in Airflow's database: the annotation names a credential of the policy's settings
(examples/settings/connections.yaml). The policy projects a token of the pod's ServiceAccount for Azure into the
container `base` and sets AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE and AZURE_AUTHORITY_HOST, if the
operator allows it.
"""

from __future__ import annotations

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import dag, task
from kubernetes.client import models as k8s

CREDENTIALS = {"airflow-pod-identity/credentials": "azure-reports"}

WITH_IDENTITY = k8s.V1Pod(
    metadata=k8s.V1ObjectMeta(annotations=CREDENTIALS),
    # Azure trusts this ServiceAccount. `containers` is a required field; an empty list changes no container.
    spec=k8s.V1PodSpec(containers=[], service_account_name="azure-reports"),
)

# What runs in a pod without Airflow: DefaultAzureCredential reads the variables there too.
COUNT_REPORTS = """
import json
from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient

reports = ContainerClient("https://teamareports.blob.core.windows.net", "reports", DefaultAzureCredential())
with open("/airflow/xcom/return.json", "w") as result:
    json.dump(len(list(reports.list_blob_names())), result)
"""


@dag(dag_id="azure", schedule=None)
def azure():
    @task(executor_config={"pod_override": WITH_IDENTITY})
    def list_reports() -> list[str]:
        # Imported here, so that the file can be read where the provider is not installed.
        from airflow.providers.microsoft.azure.hooks.wasb import WasbHook

        # The connection tells the storage account and nothing else: without password, key or tenant the hook takes
        # DefaultAzureCredential.
        return WasbHook("wasb_reports").get_blobs_list("reports")

    count_reports = KubernetesPodOperator(
        task_id="count_reports",
        namespace="airflow",
        image="registry.example.com/team-a/azure-tools:2026-02",
        cmds=["python", "-c"],
        arguments=[COUNT_REPORTS],
        annotations=CREDENTIALS,
        service_account_name="azure-reports",
        # Adds a sidecar that hands the result to Airflow. It gets no credential.
        do_xcom_push=True,
    )

    list_reports() >> count_reports


azure()
