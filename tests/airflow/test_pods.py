"""The pods of the example DAGs, made by Airflow itself.

`--write` writes what the Kubernetes API would be sent to `pods/`; without it the files must say the same. Other tests
take them as input.
"""

from __future__ import annotations

import difflib
import json
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from conftest import DAGS, HERE

PODS = HERE / "pods"
RUN = "scheduled__2026-02-01T00:00:00+00:00"
TASK_INSTANCE = UUID("019c0000-0000-7000-8000-000000000001")
DAG_VERSION = UUID("019c0000-0000-7000-8000-000000000002")
# Airflow gives each task a token for its API, inside of the container's arguments.
TOKEN = "the-token-of-the-task"  # noqa: S105


class Kubernetes:
    """The API server: keeps what it is sent."""

    def __init__(self):
        from kubernetes.client import ApiClient

        self.api_client = ApiClient()
        self.pods = []

    def create_namespaced_pod(self, body, namespace, **_):
        assert body["metadata"]["namespace"] == namespace
        self.pods.append(body)


@pytest.fixture
def kubernetes(monkeypatch):
    from airflow.providers.cncf.kubernetes import kubernetes_helper_functions
    from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

    # The end of a pod's name is random.
    monkeypatch.setattr(kubernetes_helper_functions, "rand_str", lambda length: "0" * length)
    monkeypatch.setattr(KubernetesHook, "is_in_cluster", True)
    return Kubernetes()


def executor_pod(dag, task, kubernetes):
    """KubernetesExecutor: from the workload that the scheduler queues to the request."""
    from airflow.executors.workloads import BundleInfo, ExecuteTask
    from airflow.executors.workloads.task import TaskInstanceDTO
    from airflow.providers.cncf.kubernetes.executors.kubernetes_executor import KubernetesExecutor
    from airflow.providers.cncf.kubernetes.executors.kubernetes_executor_utils import AirflowKubernetesScheduler
    from airflow.serialization.serialized_objects import DagSerialization

    class Scheduler(AirflowKubernetesScheduler):
        def _make_kube_watchers(self):
            return {}

    # The scheduler knows the DAG as it is kept in the database.
    kept = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task(task.task_id)
    instance = TaskInstanceDTO(
        id=TASK_INSTANCE,
        dag_version_id=DAG_VERSION,
        dag_id=dag.dag_id,
        task_id=task.task_id,
        run_id=RUN,
        try_number=1,
        queue=kept.queue,
        pool_slots=kept.pool_slots,
        priority_weight=kept.priority_weight,
        executor_config=kept.executor_config,
    )
    workload = ExecuteTask(
        ti=instance,
        token=TOKEN,
        dag_rel_path=Path(dag.fileloc).name,
        bundle_info=BundleInfo(name="dags-folder"),
        log_path=None,
    )
    executor = KubernetesExecutor()
    executor.task_queue = SimpleNamespace(put=lambda job: scheduler.run_next(job))
    scheduler = Scheduler(executor.kube_config, None, kubernetes, scheduler_job_id="1")
    executor.execute_async(
        workload.ti.key, [workload], queue=instance.queue, executor_config=workload.ti.executor_config
    )


def operator_pod(dag, task, kubernetes):
    """KubernetesPodOperator: from the task, as a worker runs it, to the request."""
    instance = SimpleNamespace(dag_id=dag.dag_id, task_id=task.task_id, run_id=RUN, map_index=-1, try_number=1)
    context = {"dag": dag, "task": task, "ti": instance, "task_instance": instance, "run_id": RUN}
    task.render_template_fields(context)
    task.client = kubernetes
    task.pod_manager.create_pod(task.build_pod_request_obj(context))


def made(dag, kubernetes):
    """The pods of a DAG by the file that they are kept in."""
    for task in dag.tasks:
        kind = "pod-operator" if task.task_type == "KubernetesPodOperator" else "executor"
        (operator_pod if kind == "pod-operator" else executor_pod)(dag, task, kubernetes)
        yield f"{dag.dag_id}-{kind}.json", kubernetes.pods.pop()


NAMES = sorted(path.name.removesuffix("_dag.py") for path in DAGS.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_pods_are_those_of_the_files(name, dags, kubernetes, request):
    pods = dict(made(dags[name], kubernetes))
    assert sorted(pods) == [f"{name}-executor.json", f"{name}-pod-operator.json"]
    for file, pod in pods.items():
        new = json.dumps(pod, indent=2, sort_keys=True) + "\n"
        path = PODS / file
        if request.config.getoption("--write"):
            path.write_text(new)
        old = path.read_text() if path.exists() else ""
        difference = "".join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), str(path), "Airflow"))
        assert not difference, f"\n{difference}\n(`tests/airflow/run.sh --write` takes Airflow's)"


def test_every_file_belongs_to_an_example():
    expected = {f"{name}-{kind}.json" for name in NAMES for kind in ("executor", "pod-operator")}
    assert {path.name for path in PODS.iterdir()} == expected


@pytest.mark.parametrize("name", NAMES)
def test_pods_name_a_credential_and_hold_none(name, dags, kubernetes):
    for pod in dict(made(dags[name], kubernetes)).values():
        keys = pod["metadata"]["annotations"].keys()
        assert len(keys & {"airflow-pod-identity/credentials", "iam.cloud.google.com/service-account"}) == 1
        text = json.dumps(pod)
        assert "eyJ" not in text, "a JWT"
        assert "secretKeyRef" not in text
        for container in pod["spec"]["containers"]:
            names = {variable["name"] for variable in container.get("env") or []}
            assert names <= {"AIRFLOW__CORE__EXECUTOR", "AIRFLOW_IS_K8S_EXECUTOR_POD"}


def found(name, folders):
    """Where Python finds a module."""
    spec = PathFinder.find_spec(name, folders)
    return spec and spec.origin


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_not_called_like_a_package(path):
    """Airflow puts the folder of the DAGs on Python's path: the file would be found in place of the package."""
    assert found(path.stem, [folder for folder in sys.path if folder != str(DAGS)]) is None


def test_a_module_hides_a_package_without_init_even_from_the_end_of_the_path(tmp_path):
    """As `google`, `azure` and `snowflake` are: why the examples are called as they are."""
    module = tmp_path / "google.py"
    module.touch()
    assert found("google", [*sys.path, str(tmp_path)]) == str(module)
