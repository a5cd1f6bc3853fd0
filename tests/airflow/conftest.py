"""What all tests share: an Airflow that has nothing but its defaults, and a world without a network."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
DAGS = HERE.parent.parent / "examples" / "dags"

# Airflow reads these when it is imported, so they are set before any test is.
for name in [name for name in os.environ if re.match("_?AIRFLOW_", name)]:
    del os.environ[name]
AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-pod-identity-")
os.environ |= {
    "AIRFLOW_HOME": AIRFLOW_HOME.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor",
    "AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE": "airflow",
    "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": str(HERE / "pod_template.yaml"),
    "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_CONTAINER_REPOSITORY": "apache/airflow",
    "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_CONTAINER_TAG": version("apache-airflow"),
}

import pytest  # noqa: E402

from internet import Internet  # noqa: E402

# What a developer's shell may hold of the things that the tests are about.
CLOUDS = re.compile(r"(AWS|AZURE|BOTO|CLOUDSDK|GCE|GCLOUD|GCP|GOOGLE|PG|SNOWFLAKE)[A-Z]*(_|$)|.*_PROXY$", re.I)


def pytest_addoption(parser):
    parser.addoption("--write", action="store_true", help="write the pods to tests/airflow/pods")


@pytest.fixture
def dags():
    """The example DAGs, as Airflow's DAG processor and its task runner read them."""
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder", safe_mode=False)
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture
def run(dags):
    """Runs the code of a task as it stands in the DAG file."""
    return lambda dag, task: dags[dag].get_task(task).python_callable()


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No variable, home or metadata service of the machine has a say."""
    for name in [name for name in os.environ if CLOUDS.match(name)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Whoever opens a connection that leaves the machine fails."""
    connect = socket.socket.connect

    def guarded(self, address):
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"), f"network: {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def internet(monkeypatch):
    """Answers in place of the clouds, and remembers what they were asked."""
    return Internet().install(monkeypatch)


@pytest.fixture(scope="session")
def private_key():
    """A key that opens nothing."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def supervisor(monkeypatch):
    """The process that runs a task asks its supervisor, who asks Airflow's API server for what is in the database."""
    from airflow.sdk.execution_time import task_runner

    class Supervisor(dict):
        def send(self, message):
            from airflow.sdk.exceptions import ErrorType
            from airflow.sdk.execution_time.comms import ConnectionResult, ErrorResponse, GetConnection

            if not isinstance(message, GetConnection):
                return None
            self.asked.append(message.conn_id)
            if message.conn_id in self:
                fields = {"host": None, "schema": None, "login": None, "password": None, "port": None, "extra": None}
                return ConnectionResult(conn_id=message.conn_id, **fields | self[message.conn_id])
            return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)

    supervisor = Supervisor()
    supervisor.asked = []
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    return supervisor
