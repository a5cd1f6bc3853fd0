"""Google's hooks find what the policy injects, as long as their connection names nothing else."""

from __future__ import annotations

import base64
import json

import pytest

EMAIL = "orders@team-a-analytics.iam.gserviceaccount.com"
PROVIDER = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/airflow/providers/cluster"
STS = "sts.googleapis.com"
NO_KEY = "google-cloud-platform://"


@pytest.fixture
def key(private_key):
    """A key of no account."""

    def made(email=EMAIL):
        return {
            "type": "service_account",
            "project_id": "project-of-the-key",
            "private_key_id": "1",
            "private_key": private_key,
            "client_email": email,
            "token_uri": "https://oauth2.googleapis.com/token",
        }

    return made


@pytest.fixture
def injected_key(monkeypatch, tmp_path, key):
    """What `gcpServiceAccountKey` puts into a container."""
    (file := tmp_path / "key.json").write_text(json.dumps(key()))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "team-a-analytics")
    return file


@pytest.fixture
def injected_federation(monkeypatch, tmp_path):
    """What `gcpWorkloadIdentity` puts into a container."""
    (token := tmp_path / "token").write_text("token-of-the-pod")
    email = "export@team-a-analytics.iam.gserviceaccount.com"
    account = {
        "type": "external_account",
        "audience": PROVIDER,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": str(token), "format": {"type": "text"}},
        "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
        f"{email}:generateAccessToken",
    }
    (file := tmp_path / "key.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "team-a-analytics")
    return token


@pytest.fixture
def clouds(internet):
    token = {"access_token": "access-token", "expires_in": 3600, "token_type": "Bearer"}
    internet.answer("oauth2.googleapis.com", "/token", token)
    internet.answer("sts.googleapis.com", "/v1/token", {**token, "access_token": "federated", "issued_token_type": "x"})
    internet.answer(
        "iamcredentials.googleapis.com",
        "/v1/projects/-/serviceAccounts/export@team-a-analytics.iam.gserviceaccount.com:generateAccessToken",
        {"accessToken": "access-token", "expireTime": "2100-01-01T00:00:00Z"},
    )
    internet.answer("storage.googleapis.com", "/storage/v1/b/team-a-orders/o", {"items": [{"name": "order"}]})
    return internet


def hook():
    from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

    return GoogleBaseHook()


def issuer(request):
    """Who signed a request for a token."""
    payload = request.form["assertion"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["iss"]


def test_the_task_uses_the_injected_key(monkeypatch, supervisor, injected_key, clouds, run):
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", NO_KEY)
    assert run("google", "list_orders") == ["order"]
    # How often it asks depends on how long the token's first use takes.
    assert {issuer(request) for request in clouds.asked("oauth2.googleapis.com")} == {EMAIL}
    assert {request.authorization for request in clouds.asked("storage.googleapis.com")} == {"Bearer access-token"}


def test_the_task_uses_the_injected_federation(monkeypatch, supervisor, injected_federation, clouds, run):
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", NO_KEY)
    assert run("google", "list_orders") == ["order"]
    exchanges = [(request.form["subject_token"], request.form["audience"]) for request in clouds.asked(STS)]
    assert set(exchanges) == {("token-of-the-pod", PROVIDER)}
    assert {request.authorization for request in clouds.asked("iamcredentials.googleapis.com")} == {"Bearer federated"}
    assert {request.authorization for request in clouds.asked("storage.googleapis.com")} == {"Bearer access-token"}


def test_the_connection_may_stand_in_the_database(supervisor, injected_key):
    supervisor["google_cloud_default"] = {"conn_type": "google_cloud_platform"}
    assert hook().get_credentials().service_account_email == EMAIL


def test_the_connection_must_exist(supervisor, injected_key):
    from airflow.sdk.exceptions import AirflowNotFoundException

    with pytest.raises(AirflowNotFoundException):
        hook()


@pytest.mark.parametrize("field", ["keyfile_dict", "key_path"])
def test_a_key_in_the_connection_shadows_the_injected_one(monkeypatch, supervisor, injected_key, key, tmp_path, field):
    other = key("other@team-b.iam.gserviceaccount.com")
    (file := tmp_path / "other.json").write_text(json.dumps(other))
    extra = {field: json.dumps(other) if field == "keyfile_dict" else str(file)}
    supervisor["google_cloud_default"] = {"conn_type": "google_cloud_platform", "extra": json.dumps(extra)}
    assert hook().get_credentials().service_account_email == "other@team-b.iam.gserviceaccount.com"


def test_google_auth_default_takes_the_key(injected_key):
    import google.auth

    credentials, project = google.auth.default()
    assert credentials.service_account_email == EMAIL
    assert project == "team-a-analytics", "GOOGLE_CLOUD_PROJECT comes before the key's project"


def test_google_auth_default_takes_the_federation(injected_federation):
    import google.auth
    from google.auth import identity_pool

    credentials, project = google.auth.default()
    assert isinstance(credentials, identity_pool.Credentials)
    assert credentials.service_account_email == "export@team-a-analytics.iam.gserviceaccount.com"
    assert project == "team-a-analytics"


def test_without_a_project_the_pools_is_asked_for(monkeypatch, supervisor, injected_federation, clouds):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", NO_KEY)
    clouds.answer("cloudresourcemanager.googleapis.com", "/v1/projects/1", {"projectId": "project-of-the-pool"})
    assert hook().project_id == "project-of-the-pool"


def test_a_renewed_token_is_read(injected_federation, clouds):
    import google.auth
    from google.auth.transport.requests import Request

    # What the exchange gave is over at once, so that every refresh needs another.
    clouds.answers[STS + "/v1/token"]["expires_in"] = 0
    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    for token in ("token-of-the-pod", "renewed"):
        injected_federation.write_text(token)
        credentials.refresh(Request())
    sent = [request.form["subject_token"] for request in clouds.asked(STS)]
    assert sent == ["token-of-the-pod", "renewed"]


def test_a_new_key_is_read_by_the_next_hook(monkeypatch, supervisor, injected_key, key, clouds):
    from google.auth.transport.requests import Request

    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", NO_KEY)
    credentials = hook().get_credentials()
    injected_key.write_text(json.dumps(key("renewed@team-a-analytics.iam.gserviceaccount.com")))
    credentials.refresh(Request())
    assert [issuer(request) for request in clouds.asked("oauth2.googleapis.com")] == [EMAIL], "read once"
    assert hook().get_credentials().service_account_email == "renewed@team-a-analytics.iam.gserviceaccount.com"
