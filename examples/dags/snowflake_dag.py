"""Two tasks that use Snowflake through a connection that is in a Secret, not in Airflow's database.

The annotation names a credential of the policy's settings (examples/settings/connections.yaml). The policy sets
AIRFLOW_CONN_SNOWFLAKE_SALES in the container `base`, with a reference to the Secret, if the operator allows it. Other
tasks don't get it, and can't ask Airflow for it either.
"""

from __future__ import annotations

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import dag, task
from kubernetes.client import models as k8s

CREDENTIALS = {"airflow-pod-identity/credentials": "snowflake-sales"}

WITH_CONNECTION = k8s.V1Pod(metadata=k8s.V1ObjectMeta(annotations=CREDENTIALS))

# What runs in a pod without Airflow. Nothing reads the variable for it: the script does. The Secret of this connection
# holds JSON.
REFRESH_SALES = """
import json, os
import snowflake.connector

sales = json.loads(os.environ["AIRFLOW_CONN_SNOWFLAKE_SALES"])
with snowflake.connector.connect(user=sales["login"], password=sales["password"], **sales["extra"]) as session:
    session.cursor().execute("call refresh_sales()")
"""


@dag(dag_id="snowflake", schedule=None)
def snowflake():
    @task(executor_config={"pod_override": WITH_CONNECTION})
    def count_sales() -> int:
        # Imported here, so that the file can be read where the provider is not installed.
        from airflow.providers.snowflake.hooks.snowflake import SnowflakeHook

        # The id is all that a DAG says. Airflow looks it up in the environment before its database.
        return SnowflakeHook("snowflake_sales").get_first("select count(*) from sales")[0]

    refresh_sales = KubernetesPodOperator(
        task_id="refresh_sales",
        namespace="airflow",
        image="registry.example.com/team-a/snowflake-tools:2026-02",
        cmds=["python", "-c"],
        arguments=[REFRESH_SALES],
        annotations=CREDENTIALS,
        service_account_name="sales",
    )

    count_sales() >> refresh_sales


snowflake()
