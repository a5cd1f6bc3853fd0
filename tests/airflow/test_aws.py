"""AWS's hooks leave things to boto3, while their connection names nothing else. boto3 finds what the policy injects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

ROLE = "arn:aws:iam::111122223333:role/airflow-reports"
BUCKET = "team-a-reports.s3.eu-central-1.amazonaws.com"
STS = "sts.eu-central-1.amazonaws.com"


def assumed(action, key_id, expiration="2100-01-01T00:00:00Z"):
    """STS gives a key."""
    return f"""<{action}Response><{action}Result><Credentials>
      <AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
      <Expiration>{expiration}</Expiration></Credentials></{action}Result></{action}Response>"""


@pytest.fixture
def clouds(internet):
    internet.answer(STS, "/", assumed("AssumeRoleWithWebIdentity", "KEYOFTHEROLE"))
    found = "<Contents><Key>report</Key><LastModified>2026-02-01T00:00:00Z</LastModified></Contents>"
    internet.answer(BUCKET, "/", f"<ListBucketResult>{found}</ListBucketResult>")
    return internet


@pytest.fixture
def injected_role(monkeypatch, tmp_path):
    """What `awsWebIdentity` puts into a container."""
    (token := tmp_path / "token").write_text("token-of-the-pod")
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional")
    return token


@pytest.fixture
def injected_pod_identity(monkeypatch, tmp_path, internet):
    """What `awsPodIdentity` puts into a container, and the agent on the node."""
    (token := tmp_path / "eks-pod-identity-token").write_text("token-of-the-pod")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    key = {"AccessKeyId": "KEYOFTHEAGENT", "SecretAccessKey": "secret", "Token": "session"}
    internet.answer("169.254.170.23", "/v1/credentials", {**key, "Expiration": "2100-01-01T00:00:00Z"})
    return token


def credentials(**arguments):
    """What a hook would sign with."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    return AwsBaseHook(client_type="s3", **arguments).get_session().get_credentials()


def profile(name):
    """A file of AWS's with a key."""
    return f"[{name}]\naws_access_key_id = KEYINFILE\naws_secret_access_key = not-a-secret\n"


def key_of(request):
    return request.authorization.partition("Credential=")[2].partition("/")[0]


def test_the_task_assumes_the_role(supervisor, injected_role, clouds, run):
    assert run("aws", "list_reports") == ["report"]
    (exchange,) = clouds.asked(STS)
    assert exchange.form["Action"] == "AssumeRoleWithWebIdentity"
    assert exchange.form["RoleArn"] == ROLE
    assert exchange.form["WebIdentityToken"] == "token-of-the-pod"
    (listing,) = clouds.asked(BUCKET)
    assert key_of(listing) == "KEYOFTHEROLE"


@pytest.mark.parametrize("connection", [None, {"conn_type": "aws"}])
def test_the_connection_may_be_absent_or_empty(supervisor, injected_role, clouds, connection):
    if connection:
        supervisor["aws_default"] = connection
    assert credentials().method == "assume-role-with-web-identity"
    assert supervisor.asked == ["aws_default"]


@pytest.mark.parametrize(
    "connection",
    [
        {"conn_type": "aws", "login": "OTHERKEY", "password": "not-a-secret"},
        {"conn_type": "aws", "extra": '{"aws_access_key_id": "OTHERKEY", "aws_secret_access_key": "not-a-secret"}'},
    ],
)
def test_a_key_in_the_connection_shadows_the_injected_role(supervisor, injected_role, connection):
    supervisor["aws_default"] = connection
    assert credentials().access_key == "OTHERKEY"


def test_a_role_in_the_connection_is_assumed_with_the_injected_one(supervisor, injected_role, clouds):
    supervisor["aws_default"] = {"conn_type": "aws", "extra": '{"role_arn": "arn:aws:iam::444455556666:role/other"}'}
    answers = iter([assumed("AssumeRoleWithWebIdentity", "KEYOFTHEROLE"), assumed("AssumeRole", "KEYOFTHEOTHER")])

    class Answers(dict):
        def __getitem__(self, _):
            return next(answers)

    clouds.answers = Answers(clouds.answers)
    assert credentials().access_key == "KEYOFTHEOTHER"
    first, second = clouds.asked(STS)
    assert first.form["RoleArn"] == ROLE
    assert (second.form["Action"], second.form["RoleArn"]) == ("AssumeRole", "arn:aws:iam::444455556666:role/other")
    assert key_of(second) == "KEYOFTHEROLE"


def test_a_key_in_the_environment_shadows_the_injected_role(monkeypatch, supervisor, injected_role, internet):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OTHERKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    assert (credentials().method, credentials().access_key) == ("env", "OTHERKEY")
    assert internet.requests == []


def test_a_profile_in_the_connection_shadows_the_injected_role(supervisor, injected_role, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(profile("other"))
    supervisor["aws_default"] = {"conn_type": "aws", "extra": '{"profile_name": "other"}'}
    assert credentials().access_key == "KEYINFILE"


def test_the_agent_of_pod_identity_is_asked(supervisor, injected_pod_identity, internet):
    assert (credentials().method, credentials().access_key) == ("container-role", "KEYOFTHEAGENT")
    assert {request.authorization for request in internet.asked("169.254.170.23")} == {"token-of-the-pod"}


@pytest.mark.parametrize("other", ["key", "role"])
def test_a_key_or_a_role_shadows_pod_identity(monkeypatch, supervisor, injected_pod_identity, internet, other, request):
    if other == "role":
        request.getfixturevalue("injected_role")
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OTHERKEY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    assert credentials().method == {"key": "env", "role": "assume-role-with-web-identity"}[other]
    assert internet.requests == []


def test_a_file_with_keys_is_read(monkeypatch, supervisor, tmp_path):
    """What `awsAccessKey` with `as: file` puts into a container."""
    (file := tmp_path / "credentials").write_text(profile("team-a"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "team-a")
    assert (credentials().method, credentials().access_key) == ("shared-credentials-file", "KEYINFILE")


def test_a_role_shadows_a_file_with_keys(monkeypatch, supervisor, injected_role, tmp_path):
    (file := tmp_path / "credentials").write_text(profile("default"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert credentials().method == "assume-role-with-web-identity"


def test_a_renewed_token_is_read(supervisor, injected_role, clouds):
    soon = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    clouds.answer(STS, "/", assumed("AssumeRoleWithWebIdentity", "KEYOFTHEROLE", soon))
    held = credentials()
    for token in ("token-of-the-pod", "renewed"):
        injected_role.write_text(token)
        held.get_frozen_credentials()
    assert [request.form["WebIdentityToken"] for request in clouds.asked(STS)] == ["token-of-the-pod", "renewed"]
