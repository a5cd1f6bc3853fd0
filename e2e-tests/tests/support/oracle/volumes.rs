//! What volumes are made of.

use e2e_tests::laws::OTHER_SERVICES;
use k8s_openapi::api::core::v1::{Volume, VolumeMount, VolumeProjection};

use super::Case;
use super::pattern::{any, steps};

/// The projected sources of a volume.
pub fn sources(volume: &Volume) -> impl Iterator<Item = &VolumeProjection> {
    volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten())
}

/// Whether it is what the API server injects: its prefix, and exactly its three sources in its order.
pub fn is_injected(volume: &Volume) -> bool {
    let sources: Vec<&VolumeProjection> = sources(volume).collect();
    let is_token = |source: &&VolumeProjection| {
        source
            .service_account_token
            .as_ref()
            .is_some_and(|token| token.path == "token" && token.audience.as_deref().is_none_or(str::is_empty))
    };
    let is_ca = |source: &&VolumeProjection| {
        let items = |source: &VolumeProjection| {
            let map = source.config_map.as_ref().filter(|map| map.name == "kube-root-ca.crt")?;
            Some(map.items.iter().flatten().map(|item| (item.key.clone(), item.path.clone())).collect::<Vec<_>>())
        };
        items(source).is_some_and(|items| items == [("ca.crt".to_owned(), "ca.crt".to_owned())])
    };
    let is_namespace = |source: &&VolumeProjection| {
        source.downward_api.as_ref().is_some_and(|api| {
            let items: Vec<_> = api.items.iter().flatten().collect();
            let field = |item: &k8s_openapi::api::core::v1::DownwardAPIVolumeFile| {
                item.field_ref.as_ref().is_some_and(|field| field.field_path == "metadata.namespace")
            };
            matches!(items[..], [item] if item.path == "namespace" && field(item))
        })
    };
    let are_three =
        matches!(&sources[..], [token, ca, namespace] if is_token(token) && is_ca(ca) && is_namespace(namespace));
    volume.name.starts_with("kube-api-access-") && are_three
}

/// Where the API server mounts what it injects.
const DEFAULT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Whether it is the API server's mount of its volume, however its path is written; at another path or of a part
/// somebody declared it.
pub fn is_injected_mount(mount: &VolumeMount, volume: &Volume) -> bool {
    let whole = |path: &Option<String>| path.as_deref().is_none_or(str::is_empty);
    is_injected(volume)
        && steps(&mount.mount_path) == steps(DEFAULT_PATH)
        && whole(&mount.sub_path)
        && whole(&mount.sub_path_expr)
}

/// Names of Secrets that a volume refers to, of whatever type it is.
pub fn secrets(volume: &Volume) -> Vec<&str> {
    let mut names: Vec<Option<&str>> = vec![
        volume.secret.as_ref().and_then(|source| source.secret_name.as_deref()),
        volume.azure_file.as_ref().map(|source| source.secret_name.as_str()),
    ];
    let references = [
        volume.csi.as_ref().and_then(|source| source.node_publish_secret_ref.as_ref()),
        volume.cephfs.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.cinder.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.flex_volume.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.iscsi.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.rbd.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.scale_io.as_ref().map(|source| &source.secret_ref),
        volume.storageos.as_ref().and_then(|source| source.secret_ref.as_ref()),
    ];
    names.extend(references.into_iter().map(|reference| reference.map(|reference| reference.name.as_str())));
    names.extend(sources(volume).map(|source| source.secret.as_ref().map(|secret| secret.name.as_str())));
    names.into_iter().flatten().filter(|name| !name.is_empty()).collect()
}

impl Case<'_> {
    /// Whether an audience is the API server's; `granted` are those of the container's credentials.
    pub fn is_api(&self, audience: Option<&str>, granted: &[String]) -> bool {
        let Some(audience) = audience.filter(|audience| !audience.is_empty()) else { return true };
        let mounts = &self.settings.token_mounts;
        if any(&mounts.audiences.api, audience)
            || mounts.service_account_token_volume.audience.as_deref() == Some(audience)
            || audience.starts_with("https://kubernetes.default")
        {
            return true;
        }
        let builtin = OTHER_SERVICES.map(str::to_owned);
        !(any(&builtin, audience)
            || any(&mounts.audiences.allowed, audience)
            || granted.iter().any(|own| own == audience))
    }

    /// Whether a container that mounts the volume holds an API credential.
    pub fn bears(&self, volume: &Volume, granted: &[String]) -> bool {
        let is_token = |source: &VolumeProjection| {
            let token = source.service_account_token.as_ref();
            token.is_some_and(|token| self.is_api(token.audience.as_deref(), granted))
        };
        sources(volume).any(|source| is_token(source) || source.pod_certificate.is_some())
            || secrets(volume).iter().any(|name| any(&self.settings.token_mounts.token_secrets, name))
    }
}
