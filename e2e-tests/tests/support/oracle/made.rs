//! The volume of `tokenMounts.serviceAccountTokenVolume`.

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector,
    ProjectedVolumeSource, ServiceAccountTokenProjection, Volume, VolumeProjection,
};

use super::settings::TokenVolume;
use super::tokens::DEFAULT_SECONDS;

/// The volume that a holder gets: the Airflow chart's.
pub fn made(volume: &TokenVolume) -> Volume {
    let token = ServiceAccountTokenProjection {
        audience: volume.audience.clone(),
        expiration_seconds: Some(volume.expiration_seconds),
        path: "token".to_owned(),
        ..ServiceAccountTokenProjection::default()
    };
    let item = |name: &str| KeyToPath { key: name.to_owned(), path: name.to_owned(), ..KeyToPath::default() };
    let ca = ConfigMapProjection {
        name: "kube-root-ca.crt".to_owned(),
        items: Some(vec![item("ca.crt")]),
        ..ConfigMapProjection::default()
    };
    let field = ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: "metadata.namespace".to_owned() };
    let file = DownwardAPIVolumeFile {
        path: "namespace".to_owned(),
        field_ref: Some(field),
        ..DownwardAPIVolumeFile::default()
    };
    let none = VolumeProjection::default;
    let sources = vec![
        VolumeProjection { service_account_token: Some(token), ..none() },
        VolumeProjection { config_map: Some(ca), ..none() },
        VolumeProjection { downward_api: Some(DownwardAPIProjection { items: Some(vec![file]) }), ..none() },
    ];
    let projected = ProjectedVolumeSource { default_mode: Some(420), sources: Some(sources), ..Default::default() };
    Volume { name: volume.volume_name.clone(), projected: Some(projected), ..Volume::default() }
}

/// Whether the pod's own volume is the one that is needed, once the API server's defaults are filled in.
pub fn is_same(own: &Volume, needed: &Volume) -> bool {
    let filled = |volume: &Volume| {
        let mut volume = volume.clone();
        for projected in volume.projected.iter_mut() {
            projected.default_mode.get_or_insert(420);
            for source in projected.sources.iter_mut().flatten() {
                if let Some(token) = &mut source.service_account_token {
                    token.expiration_seconds.get_or_insert(DEFAULT_SECONDS);
                }
                let files = source.downward_api.iter_mut().flat_map(|api| api.items.iter_mut().flatten());
                for field in files.filter_map(|file| file.field_ref.as_mut()) {
                    field.api_version.get_or_insert_with(|| "v1".to_owned());
                }
            }
        }
        volume
    };
    filled(own) == filled(needed)
}
