"""Azure's hooks take DefaultAzureCredential, as long as their connection names nothing else."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

CLIENT = "11111111-2222-3333-4444-555555555555"
TENANT = "66666666-7777-8888-9999-000000000000"
LOGIN = "login.microsoftonline.com"
BLOBS = "teamareports.blob.core.windows.net"
ACCOUNT = {"conn_type": "wasb", "host": f"https://{BLOBS}"}


@pytest.fixture
def clouds(internet):
    base = f"https://{LOGIN}/{TENANT}"
    openid = {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
    }
    internet.answer(LOGIN, f"/{TENANT}/v2.0/.well-known/openid-configuration", openid)
    internet.answer(LOGIN, f"/{TENANT}/oauth2/v2.0/token", {"access_token": "access-token", "expires_in": 3600})
    blob = "<Blob><Name>report</Name><Properties><BlobType>BlockBlob</BlobType></Properties></Blob>"
    listing = f"<EnumerationResults><Blobs>{blob}</Blobs><NextMarker/></EnumerationResults>"
    internet.answer(BLOBS, "/reports", listing)
    return internet


@pytest.fixture
def injected_identity(monkeypatch, tmp_path):
    """What `azureWorkloadIdentity` puts into a container."""
    (token := tmp_path / "azure-identity-token").write_text("token-of-the-pod")
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"https://{LOGIN}/")
    return token


@pytest.fixture
def injected_secret(monkeypatch):
    """What `azureServicePrincipal` with `key` puts into a container."""
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "not-a-secret")


@pytest.fixture
def injected_certificate(monkeypatch, tmp_path, private_key):
    """What `azureServicePrincipal` with `certificateKey` puts into a container."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    key = load_pem_private_key(private_key.encode(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    (file := tmp_path / "certificate.pem").write_bytes(
        private_key.encode() + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(file))


def token_requests(clouds):
    return [request.form for request in clouds.asked(LOGIN, f"/{TENANT}/oauth2/v2.0/token")]


def token():
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential().get_token("https://storage.azure.com/.default").token


def test_the_task_uses_the_injected_identity(supervisor, injected_identity, clouds, run):
    supervisor["wasb_reports"] = ACCOUNT
    assert run("azure", "list_reports") == ["report"]
    (form,) = token_requests(clouds)
    assert (form["client_id"], form["client_assertion"]) == (CLIENT, "token-of-the-pod")
    assert {request.authorization for request in clouds.asked(BLOBS)} == {"Bearer access-token"}


def test_the_pod_without_airflow_uses_it_too(injected_identity, clouds, dags):
    operator = dags["azure"].get_task("count_reports")
    assert operator.cmds == ["python", "-c"]

    class Result(io.StringIO):
        def close(self):
            pass

    result = Result()
    exec(operator.arguments[0], {"open": lambda *_: result})  # noqa: S102
    assert result.getvalue() == "1"
    assert [form["client_assertion"] for form in token_requests(clouds)] == ["token-of-the-pod"]


def test_the_connection_must_exist(supervisor, injected_identity, clouds, run):
    from airflow.sdk.exceptions import AirflowNotFoundException

    with pytest.raises(AirflowNotFoundException):
        run("azure", "list_reports")


KEY = base64.b64encode(b"not-a-key").decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"login": "teamareports", "password": KEY},
        {"extra": {"account_key": KEY}},
        {"extra": {"shared_access_key": KEY}},
        {"extra": {"connection_string": f"AccountName=teamareports;AccountKey={KEY};BlobEndpoint=https://{BLOBS}"}},
        {"extra": {"sas_token": "sig=not-a-signature"}},
    ],
    ids=lambda fields: next(iter(fields.get("extra", {"password": ""}))),
)
def test_a_key_in_the_connection_shadows_the_injected_identity(supervisor, injected_identity, clouds, run, fields):
    supervisor["wasb_reports"] = {**ACCOUNT, **fields, "extra": json.dumps(fields.get("extra", {}))}
    run("azure", "list_reports")
    assert token_requests(clouds) == [], "no token is asked for"
    (listing,) = clouds.asked(BLOBS)
    assert listing.authorization.startswith("SharedKey teamareports:") or "sig=not-a-signature" in listing.query


def test_a_tenant_in_the_connection_shadows_the_injected_identity(supervisor, injected_identity, clouds, run):
    fields = {"login": "other-client", "password": "not-a-secret", "extra": json.dumps({"tenant_id": TENANT})}
    supervisor["wasb_reports"] = {**ACCOUNT, **fields}
    run("azure", "list_reports")
    (form,) = token_requests(clouds)
    assert (form["client_id"], form["client_secret"]) == ("other-client", "not-a-secret")


def test_a_managed_identity_in_the_connection_takes_the_place_of_the_ids(supervisor, injected_identity, clouds, run):
    extra = {"managed_identity_client_id": "other-client", "workload_identity_tenant_id": TENANT}
    supervisor["wasb_reports"] = {**ACCOUNT, "extra": json.dumps(extra)}
    run("azure", "list_reports")
    assert [form["client_id"] for form in token_requests(clouds)] == ["other-client"]


@pytest.mark.parametrize("fields", [{}, {"login": "other", "password": "not-a-secret"}])
def test_azure_default_needs_all_of_a_service_principal_to_shadow(supervisor, injected_identity, clouds, fields):
    """AzureBaseHook, which the hooks of Azure's management API are made of."""
    from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook

    extra = {"use_azure_identity_object": True}
    supervisor["azure_default"] = {"conn_type": "azure", **fields, "extra": json.dumps(extra)}
    assert AzureBaseHook().get_token("https://management.azure.com/.default").token == "access-token"
    assert [form["client_assertion"] for form in token_requests(clouds)] == ["token-of-the-pod"]

    if fields:
        supervisor["azure_default"] |= {"extra": json.dumps({**extra, "tenantId": TENANT})}
        AzureBaseHook().get_token("https://management.azure.com/.default")
        assert token_requests(clouds)[1]["client_secret"] == "not-a-secret"


def test_default_azure_credential_takes_the_injected_identity(injected_identity, clouds):
    assert token() == "access-token"
    (form,) = token_requests(clouds)
    assert (form["client_id"], form["client_assertion"]) == (CLIENT, "token-of-the-pod")


def test_a_secret_in_the_environment_shadows_the_injected_identity(injected_identity, injected_secret, clouds):
    assert token() == "access-token"
    (form,) = token_requests(clouds)
    assert form["client_secret"] == "not-a-secret"
    assert "client_assertion" not in form


def test_a_certificate_in_the_environment_shadows_the_identity(injected_identity, injected_certificate, clouds):
    assert token() == "access-token"
    (form,) = token_requests(clouds)
    header = json.loads(base64.urlsafe_b64decode(form["client_assertion"].split(".")[0] + "=="))
    assert header.keys() & {"x5t", "x5t#S256"}


def test_a_secret_shadows_a_certificate(injected_certificate, injected_secret, clouds):
    assert token() == "access-token"
    assert [form["client_secret"] for form in token_requests(clouds)] == ["not-a-secret"]


def test_a_user_in_the_environment_shadows_the_injected_identity(monkeypatch, injected_identity, clouds):
    monkeypatch.setenv("AZURE_USERNAME", "user@example.com")
    monkeypatch.setenv("AZURE_PASSWORD", "not-a-password")
    with pytest.warns(DeprecationWarning):
        from azure.identity import DefaultAzureCredential

        first = DefaultAzureCredential().credentials[0]
    assert type(first._credential).__name__ == "UsernamePasswordCredential"


def test_a_choice_of_another_credential_excludes_the_injected_identity(monkeypatch, injected_identity, clouds):
    from azure.core.exceptions import ClientAuthenticationError

    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    with pytest.raises(ClientAuthenticationError):
        token()
    assert token_requests(clouds) == []


def test_a_renewed_token_is_read_after_ten_minutes(monkeypatch, injected_identity):
    from azure.identity import WorkloadIdentityCredential
    from azure.identity._credentials import workload_identity

    now = [1_000_000]
    monkeypatch.setattr(workload_identity.time, "time", lambda: now[0])
    read = WorkloadIdentityCredential()._get_service_account_token
    assert read() == "token-of-the-pod"
    injected_identity.write_text("renewed")
    now[0] += 600
    assert read() == "token-of-the-pod"
    now[0] += 1
    assert read() == "renewed"
