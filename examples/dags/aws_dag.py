"""Two tasks that use AWS with a role and no key.

No secret stands here, nor in Airflow's database: the annotation names a credential of the policy's settings
(examples/settings/connections.yaml). The policy projects a token of the pod's ServiceAccount for AWS into the container
`base` and sets AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and the region, if the operator allows it.
"""

from __future__ import annotations

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import dag, task
from kubernetes.client import models as k8s

CREDENTIALS = {"airflow-pod-identity/credentials": "aws-reports"}

WITH_ROLE = k8s.V1Pod(
    metadata=k8s.V1ObjectMeta(annotations=CREDENTIALS),
    # The role trusts this ServiceAccount. `containers` is a required field; an empty list changes no container.
    spec=k8s.V1PodSpec(containers=[], service_account_name="aws-reports"),
)


@dag(dag_id="aws", schedule=None)
def aws():
    @task(executor_config={"pod_override": WITH_ROLE})
    def list_reports() -> list[str]:
        # Imported here, so that the file can be read where the provider is not installed.
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        # The connection `aws_default` may be absent, and must hold no key: then the hook leaves it to boto3, which
        # reads the variables.
        return S3Hook().list_keys("team-a-reports")

    # This pod has no Airflow in it. The AWS CLI reads the same variables.
    publish_reports = KubernetesPodOperator(
        task_id="publish_reports",
        namespace="airflow",
        image="public.ecr.aws/aws-cli/aws-cli:latest",
        cmds=["aws"],
        arguments=["s3", "sync", "s3://team-a-reports", "s3://team-a-public"],
        annotations=CREDENTIALS,
        service_account_name="aws-reports",
    )

    list_reports() >> publish_reports


aws()
