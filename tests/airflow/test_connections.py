"""`airflowConnection`: a variable in the pod is all that a DAG's connection id needs."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import struct
import threading
from types import SimpleNamespace

import pytest

# Dummies of the forms that the Secrets of examples/settings/connections.yaml have.
SALES = {
    "conn_type": "snowflake",
    "login": "LOADER",
    "password": "not-a-password",
    "schema": "PUBLIC",
    "extra": {"account": "example-account", "warehouse": "LOADING", "database": "SALES", "role": "LOADER"},
}
REPORTS = "postgresql://reports:not%40a%2Fpassword@127.0.0.1:{port}/reports?sslmode=disable"


def get(conn_id):
    from airflow.sdk import Connection

    return Connection.get(conn_id)


@pytest.fixture
def secrets_backend(monkeypatch, tmp_path):
    """A secrets backend of the operator's."""
    from airflow.sdk.configuration import clear_secrets_backends_cache

    def configured(connections):
        (file := tmp_path / "connections.json").write_text(json.dumps(connections))
        backend = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend)
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"connections_file_path": str(file)}))
        clear_secrets_backends_cache()

    yield configured
    clear_secrets_backends_cache()


# The order: the operator's secrets backend, the pod's environment, and at last Airflow's API server.


def test_the_environment_comes_before_the_database(monkeypatch, supervisor):
    supervisor["reports_db"] = {"conn_type": "postgres", "host": "of-the-database"}
    assert get("reports_db").host == "of-the-database"
    assert supervisor.asked == ["reports_db"]

    monkeypatch.setenv("AIRFLOW_CONN_REPORTS_DB", "postgresql://of-the-pod/")
    assert get("reports_db").host == "of-the-pod"
    assert supervisor.asked == ["reports_db"], "the API server is not asked a second time"


def test_a_secrets_backend_comes_before_the_environment(monkeypatch, supervisor, secrets_backend):
    secrets_backend({"reports_db": "postgresql://of-the-backend/"})
    monkeypatch.setenv("AIRFLOW_CONN_REPORTS_DB", "postgresql://of-the-pod/")
    monkeypatch.setenv("AIRFLOW_CONN_OTHER_DB", "postgresql://of-the-pod/")
    assert get("reports_db").host == "of-the-backend"
    assert get("other_db").host == "of-the-pod"


def test_a_connection_that_nobody_has_is_an_error(supervisor):
    from airflow.sdk.exceptions import AirflowNotFoundException

    with pytest.raises(AirflowNotFoundException, match="`reports_db` isn't defined"):
        get("reports_db")


@pytest.mark.parametrize("value", ["", "{not JSON", '{"conn_type": "postgres", "port": "x"}', '{"hostname": "h"}'])
def test_a_value_that_is_no_connection_is_passed_over(monkeypatch, supervisor, value):
    """Airflow goes on without a word: to the database, or to an error that does not tell why."""
    monkeypatch.setenv("AIRFLOW_CONN_REPORTS_DB", value)
    supervisor["reports_db"] = {"conn_type": "postgres", "host": "of-the-database"}
    assert get("reports_db").host == "of-the-database"


# The name of the variable.


@pytest.mark.parametrize("conn_id", ["reports_db", "Reports_DB", "REPORTS_DB"])
def test_ids_that_differ_in_case_alone_share_a_variable(monkeypatch, supervisor, conn_id):
    monkeypatch.setenv("AIRFLOW_CONN_REPORTS_DB", "postgresql://of-the-pod/")
    assert get(conn_id).host == "of-the-pod"


def test_a_variable_in_lower_case_is_not_read(monkeypatch, supervisor):
    from airflow.sdk.exceptions import AirflowNotFoundException

    monkeypatch.setenv("AIRFLOW_CONN_reports_db", "postgresql://of-the-pod/")
    with pytest.raises(AirflowNotFoundException):
        get("reports_db")


@pytest.mark.parametrize("conn_id", ["reports-db", "reports.db"])
def test_other_characters_stay(monkeypatch, supervisor, conn_id):
    monkeypatch.setenv("AIRFLOW_CONN_" + conn_id.upper(), "postgresql://of-the-pod/")
    assert get(conn_id).host == "of-the-pod"


def test_with_teams_three_underscores_hide_a_variable(monkeypatch, supervisor):
    """Airflow's multi-team mode keeps `___` for the names of teams."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    monkeypatch.setenv("AIRFLOW_CONN_REPORTS___DB", "postgresql://of-the-pod/")
    assert get("reports___db").host == "of-the-pod"
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", "True")
    with pytest.raises(AirflowNotFoundException):
        get("reports___db")


# The value.


def test_json_and_uri_say_the_same(monkeypatch, supervisor):
    from airflow.sdk import Connection

    connection = Connection.from_json(json.dumps(SALES), conn_id="snowflake_sales")
    for value in (json.dumps(SALES), connection.get_uri()):
        # A file that an editor wrote ends in a newline.
        monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_SALES", value + "\n")
        read = get("snowflake_sales")
        assert (read.conn_type, read.login, read.password, read.schema) == (
            "snowflake",
            "LOADER",
            "not-a-password",
            "PUBLIC",
        )
        assert read.extra_dejson == SALES["extra"]


def test_a_uri_of_libpq_is_one_of_airflows(monkeypatch, supervisor):
    monkeypatch.setenv("AIRFLOW_CONN_REPORTS_DB", REPORTS.format(port=5432))
    read = get("reports_db")
    assert (read.conn_type, read.login, read.password) == ("postgres", "reports", "not@a/password")
    assert (read.host, read.port, read.schema) == ("127.0.0.1", 5432, "reports")
    assert read.extra_dejson == {"sslmode": "disable"}


# The examples, as they stand.


@pytest.fixture
def postgres():
    """Listens like a Postgres, asks for the password, and keeps what it was told."""
    told = SimpleNamespace(logins=[])
    server = socket.create_server(("127.0.0.1", 0))
    told.port = server.getsockname()[1]

    def message(client):
        (length,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
        return client.recv(length - 4, socket.MSG_WAITALL)

    def serve():
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                fields = message(client)[4:].rstrip(b"\0").split(b"\0")
                login = {k.decode(): v.decode() for k, v in zip(fields[::2], fields[1::2], strict=True)}
                client.sendall(b"R" + struct.pack("!ii", 8, 3))  # a password in clear text, please
                assert client.recv(1) == b"p"
                password = message(client).rstrip(b"\0").decode()
                told.logins.append((login["user"], password, login["database"]))
                reason = b"SFATAL\0C28P01\0Menough\0\0"
                client.sendall(b"E" + struct.pack("!i", len(reason) + 4) + reason)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield told
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def test_the_postgres_task_logs_in_as_the_secret_says(monkeypatch, supervisor, postgres, run):
    monkeypatch.setenv("AIRFLOW_CONN_REPORTS_DB", REPORTS.format(port=postgres.port))
    with pytest.raises(Exception, match="enough"):
        run("postgres", "count_reports")
    assert postgres.logins == [("reports", "not@a/password", "reports")]
    assert supervisor.asked == []


def test_the_postgres_pod_without_airflow_logs_in_with_the_same_value(monkeypatch, postgres, dags):
    import psycopg

    monkeypatch.setenv("AIRFLOW_CONN_REPORTS_DB", REPORTS.format(port=postgres.port))
    (command,) = dags["postgres"].get_task("refresh_reports").arguments
    (variable,) = re.findall(r"\$(\w+)", command)
    with pytest.raises(psycopg.OperationalError, match="enough"):
        # libpq, which psql is made of, takes the value as it is.
        psycopg.connect(os.environ[variable])
    assert postgres.logins == [("reports", "not@a/password", "reports")]


@pytest.fixture
def snowflake(monkeypatch):
    """Keeps what Snowflake's connector is called with, and what is executed."""
    import snowflake.connector

    told = SimpleNamespace(logins=[], statements=[])

    class Cursor:
        sfqid, rowcount, description = "id", 1, [("COUNT",)]

        def execute(self, statement, *_, **__):
            told.statements.append(statement)
            return self

        def fetchone(self):
            return (3,)

        def close(self):
            pass

    class Session:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def cursor(self, *_):
            return Cursor()

        def autocommit(self, *_):
            pass

        def get_autocommit(self):
            return True

        def commit(self):
            pass

        def close(self):
            pass

    def connect(**login):
        told.logins.append(login)
        return Session()

    monkeypatch.setattr(snowflake.connector, "connect", connect)
    return told


def test_the_snowflake_task_logs_in_as_the_secret_says(monkeypatch, supervisor, snowflake, run):
    monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_SALES", json.dumps(SALES))
    assert run("snowflake", "count_sales") == 3
    (login,) = snowflake.logins
    expected = {"user": "LOADER", "password": "not-a-password", "schema": "PUBLIC", **SALES["extra"]}
    assert login.items() >= expected.items()
    assert snowflake.statements == ["select count(*) from sales"]
    assert supervisor.asked == []


def test_the_snowflake_pod_without_airflow_reads_the_variable_itself(monkeypatch, snowflake, dags):
    monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_SALES", json.dumps(SALES))
    operator = dags["snowflake"].get_task("refresh_sales")
    assert operator.cmds == ["python", "-c"]
    exec(operator.arguments[0], {})  # noqa: S102
    assert snowflake.logins == [{"user": "LOADER", "password": "not-a-password", **SALES["extra"]}]
    assert snowflake.statements == ["call refresh_sales()"]


@pytest.mark.parametrize("form", ["PEM", "base64"])
def test_a_key_pair_takes_the_place_of_the_password(monkeypatch, supervisor, snowflake, run, private_key, form):
    content = private_key if form == "PEM" else base64.b64encode(private_key.encode()).decode()
    extra = {**SALES["extra"], "private_key_content": content}
    value = {"conn_type": "snowflake", "login": "LOADER", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_SALES", json.dumps(value))
    run("snowflake", "count_sales")
    (login,) = snowflake.logins
    assert login["private_key"]
    assert "password" not in login
