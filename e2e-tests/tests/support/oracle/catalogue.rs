//! Credentials of the catalogue, of the types that are covered.

use serde::Deserialize;

/// A credential.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Credential {
    GcpServiceAccountKey {
        secret_name: Option<String>,
        key: Option<String>,
        project: Option<String>,
        allow: Option<Allow>,
    },
    AwsWebIdentity {
        role_arn: String,
        audience: Option<String>,
        expiration_seconds: Option<i64>,
        region: Option<String>,
        session_name: Option<String>,
        regional_sts: Option<bool>,
        allow: Option<Allow>,
    },
    AwsPodIdentity {
        expiration_seconds: Option<i64>,
        audience: Option<String>,
        allow: Option<Allow>,
    },
    /// As env variables, the default.
    AwsAccessKey {
        secret_name: Option<String>,
        access_key_id_key: Option<String>,
        secret_access_key_key: Option<String>,
        session_token_key: Option<String>,
        region: Option<String>,
        allow: Option<Allow>,
    },
    AzureWorkloadIdentity {
        client_id: String,
        tenant_id: String,
        authority_host: Option<String>,
        expiration_seconds: Option<i64>,
        allow: Option<Allow>,
    },
    /// With a client secret, the default.
    AzureServicePrincipal {
        client_id: String,
        tenant_id: String,
        secret_name: Option<String>,
        key: Option<String>,
        allow: Option<Allow>,
    },
    AirflowConnection {
        connection_id: String,
        secret_name: Option<String>,
        key: Option<String>,
        allow: Option<Allow>,
    },
    VaultToken {
        role: Option<String>,
        address: Option<String>,
        audience: Option<String>,
        expiration_seconds: Option<i64>,
        allow: Option<Allow>,
    },
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Allow {
    pub namespaces: Option<Vec<String>>,
    pub service_accounts: Option<Vec<String>>,
    pub requesters: Option<Vec<String>>,
    pub dag_ids: Option<Vec<String>>,
}

impl Credential {
    pub fn allow(&self) -> Option<&Allow> {
        match self {
            Self::GcpServiceAccountKey { allow, .. }
            | Self::AwsWebIdentity { allow, .. }
            | Self::AwsPodIdentity { allow, .. }
            | Self::AwsAccessKey { allow, .. }
            | Self::AzureWorkloadIdentity { allow, .. }
            | Self::AzureServicePrincipal { allow, .. }
            | Self::AirflowConnection { allow, .. }
            | Self::VaultToken { allow, .. } => allow.as_ref(),
        }
    }

    /// The Secret that it reads: the one that is given, else that of its own name.
    pub fn secret_name<'c>(&'c self, name: &'c str) -> Option<&'c str> {
        match self {
            Self::GcpServiceAccountKey { secret_name, .. }
            | Self::AwsAccessKey { secret_name, .. }
            | Self::AzureServicePrincipal { secret_name, .. }
            | Self::AirflowConnection { secret_name, .. } => Some(secret_name.as_deref().unwrap_or(name)),
            Self::AwsWebIdentity { .. }
            | Self::AwsPodIdentity { .. }
            | Self::AzureWorkloadIdentity { .. }
            | Self::VaultToken { .. } => None,
        }
    }

    /// The audience that its token is for.
    pub fn audience(&self) -> Option<&str> {
        match self {
            Self::AwsWebIdentity { audience, .. } => Some(audience.as_deref().unwrap_or("sts.amazonaws.com")),
            Self::AwsPodIdentity { audience, .. } => Some(audience.as_deref().unwrap_or("pods.eks.amazonaws.com")),
            Self::AzureWorkloadIdentity { .. } => Some("api://AzureADTokenExchange"),
            Self::VaultToken { audience, .. } => Some(audience.as_deref().unwrap_or("vault")),
            _ => None,
        }
    }
}
