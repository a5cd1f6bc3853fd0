"""Two tasks that use Postgres through a connection that is in a Secret, not in Airflow's database.

The annotation names a credential of the policy's settings (examples/settings/connections.yaml). The policy sets
AIRFLOW_CONN_REPORTS_DB in the container `base`, with a reference to the Secret, if the operator allows it. Other tasks
don't get it, and can't ask Airflow for it either.
"""

from __future__ import annotations

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import dag, task
from kubernetes.client import models as k8s

CREDENTIALS = {"airflow-pod-identity/credentials": "postgres-reports"}

WITH_CONNECTION = k8s.V1Pod(metadata=k8s.V1ObjectMeta(annotations=CREDENTIALS))


@dag(dag_id="postgres", schedule=None)
def postgres():
    @task(executor_config={"pod_override": WITH_CONNECTION})
    def count_reports() -> int:
        # Imported here, so that the file can be read where the provider is not installed.
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        # The id is all that a DAG says. Airflow looks it up in the environment before its database.
        return PostgresHook("reports_db").get_first("select count(*) from reports")[0]

    # This pod has no Airflow in it. psql takes the variable as it is if the Secret holds a URI that begins with
    # `postgresql://`, which Airflow understands as well.
    refresh_reports = KubernetesPodOperator(
        task_id="refresh_reports",
        namespace="airflow",
        image="postgres:17-alpine",
        cmds=["sh", "-c"],
        arguments=['psql "$AIRFLOW_CONN_REPORTS_DB" --command "refresh materialized view reports"'],
        annotations=CREDENTIALS,
        service_account_name="reports",
    )

    count_reports() >> refresh_reports


postgres()
