//! What credentials put into a pod and its containers: the contract's table, type by type.

use k8s_openapi::api::core::v1::{
    EnvVar, EnvVarSource, KeyToPath, ProjectedVolumeSource, SecretKeySelector, SecretVolumeSource,
    ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};

use super::Outside;
use super::credentials::Grant;
use super::settings::Credential;

pub const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// What a credential puts into a pod and into each of its containers.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    pub volume: Option<Volume>,
    pub mount: Option<VolumeMount>,
    pub env: Vec<EnvVar>,
    /// Variables that SDKs would use instead.
    pub shadows: &'static [&'static str],
}

/// What a granted credential needs.
///
/// # Errors
/// When its name makes names that are shortened.
pub fn needs(grant: &Grant) -> Result<Needs, Outside> {
    let name = &grant.name;
    if name.contains('.') || name.len() > 57 || name.contains("serviceaccount") {
        return Err(Outside("a name that is shortened"));
    }
    let secret = grant.credential.secret_name(name).unwrap_or_default();
    let of_secret = |variable: &str, key: &Option<String>, default: &str| {
        let key = key.clone().unwrap_or_else(|| default.to_owned());
        from_secret(variable, secret, &key)
    };
    let regions = |region: &Option<String>| -> Vec<EnvVar> {
        region.iter().flat_map(|region| REGIONS.map(|name| literal(name, region))).collect()
    };
    let (mut env, mut shadows): (Vec<EnvVar>, &'static [&'static str]) = (Vec::new(), &[]);
    let mut placed = None;
    match &grant.credential {
        Credential::GcpServiceAccountKey { key, project, .. } => {
            let home = format!("/var/run/secrets/gcp/{name}");
            let file = format!("{home}/key.json");
            env.push(literal("GOOGLE_APPLICATION_CREDENTIALS", &file));
            env.push(literal("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", &file));
            env.extend(project.as_ref().map(|project| literal("GOOGLE_CLOUD_PROJECT", project)));
            let key = key.as_deref().unwrap_or("key.json");
            placed = Some(file_of(&format!("gcp-{name}"), &home, secret, key, "key.json"));
        }
        Credential::AwsWebIdentity {
            role_arn,
            audience,
            expiration_seconds,
            region,
            session_name,
            regional_sts,
            ..
        } => {
            let home = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
            env.push(literal("AWS_ROLE_ARN", role_arn));
            env.push(literal("AWS_WEB_IDENTITY_TOKEN_FILE", &format!("{home}/token")));
            env.extend(regions(region));
            if regional_sts.unwrap_or(true) {
                env.push(literal("AWS_STS_REGIONAL_ENDPOINTS", "regional"));
            }
            env.extend(session_name.as_ref().map(|name| literal("AWS_ROLE_SESSION_NAME", name)));
            let audience = audience.as_deref().unwrap_or("sts.amazonaws.com");
            placed = Some(token("aws-iam-token", home, audience, expiration_seconds.unwrap_or(86_400), "token"));
            shadows = &["AWS_ACCESS_KEY_ID"];
        }
        Credential::AwsPodIdentity { expiration_seconds, audience, .. } => {
            let (home, file) = ("/var/run/secrets/pods.eks.amazonaws.com/serviceaccount", "eks-pod-identity-token");
            env.push(literal("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"));
            env.push(literal("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &format!("{home}/{file}")));
            let audience = audience.as_deref().unwrap_or("pods.eks.amazonaws.com");
            placed = Some(token(file, home, audience, expiration_seconds.unwrap_or(86_400), file));
            shadows = &["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"];
        }
        Credential::AwsAccessKey { access_key_id_key, secret_access_key_key, session_token_key, region, .. } => {
            env.push(of_secret("AWS_ACCESS_KEY_ID", access_key_id_key, "aws_access_key_id"));
            env.push(of_secret("AWS_SECRET_ACCESS_KEY", secret_access_key_key, "aws_secret_access_key"));
            env.extend(session_token_key.as_ref().map(|key| from_secret("AWS_SESSION_TOKEN", secret, key)));
            env.extend(regions(region));
        }
        Credential::AzureWorkloadIdentity { client_id, tenant_id, authority_host, expiration_seconds, .. } => {
            let (home, file) = ("/var/run/secrets/azure/tokens", "azure-identity-token");
            let host = authority_host.as_deref().unwrap_or("https://login.microsoftonline.com/");
            env.push(literal("AZURE_CLIENT_ID", client_id));
            env.push(literal("AZURE_TENANT_ID", tenant_id));
            env.push(literal("AZURE_FEDERATED_TOKEN_FILE", &format!("{home}/{file}")));
            env.push(literal("AZURE_AUTHORITY_HOST", host));
            let seconds = expiration_seconds.unwrap_or(3600);
            placed = Some(token(file, home, "api://AzureADTokenExchange", seconds, file));
            shadows = &["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"];
        }
        Credential::AzureServicePrincipal { client_id, tenant_id, key, .. } => {
            env.push(literal("AZURE_CLIENT_ID", client_id));
            env.push(literal("AZURE_TENANT_ID", tenant_id));
            env.push(of_secret("AZURE_CLIENT_SECRET", key, "client-secret"));
        }
        Credential::AirflowConnection { connection_id, key, .. } => {
            let variable = format!("AIRFLOW_CONN_{}", connection_id.to_uppercase());
            env.push(of_secret(&variable, key, "connection"));
        }
        Credential::VaultToken { role, address, audience, expiration_seconds, .. } => {
            env.extend(address.as_ref().map(|address| literal("VAULT_ADDR", address)));
            env.extend(role.as_ref().map(|role| literal("VAULT_ROLE", role)));
            let (volume, home) = (format!("vault-{name}"), format!("/var/run/secrets/vault/{name}"));
            let audience = audience.as_deref().unwrap_or("vault");
            placed = Some(token(&volume, &home, audience, expiration_seconds.unwrap_or(3600), "token"));
        }
    }
    let (volume, mount) = placed.unzip();
    Ok(Needs { volume, mount, env, shadows })
}

fn literal(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None }
}

fn from_secret(name: &str, secret: &str, key: &str) -> EnvVar {
    let selector = SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), optional: None };
    let from = EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value: None, value_from: Some(from) }
}

/// A read-only mount of a directory.
fn mount(volume: &str, path: &str) -> VolumeMount {
    let (name, mount_path) = (volume.to_owned(), path.to_owned());
    VolumeMount { name, mount_path, read_only: Some(true), ..VolumeMount::default() }
}

/// One key of a Secret as a file.
fn file_of(volume: &str, home: &str, secret: &str, key: &str, path: &str) -> (Volume, VolumeMount) {
    let items = vec![KeyToPath { key: key.to_owned(), path: path.to_owned(), ..KeyToPath::default() }];
    let secret_name = Some(secret.to_owned());
    let secret = SecretVolumeSource { secret_name, items: Some(items), ..SecretVolumeSource::default() };
    (Volume { name: volume.to_owned(), secret: Some(secret), ..Volume::default() }, mount(volume, home))
}

/// A projected token as a file.
fn token(volume: &str, home: &str, audience: &str, seconds: i64, path: &str) -> (Volume, VolumeMount) {
    let token = ServiceAccountTokenProjection {
        audience: Some(audience.to_owned()),
        expiration_seconds: Some(seconds),
        path: path.to_owned(),
        ..ServiceAccountTokenProjection::default()
    };
    let source = VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() };
    let projected = ProjectedVolumeSource { sources: Some(vec![source]), ..ProjectedVolumeSource::default() };
    (Volume { name: volume.to_owned(), projected: Some(projected), ..Volume::default() }, mount(volume, home))
}
