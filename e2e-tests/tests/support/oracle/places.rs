//! Containers of all kinds under one type.

use k8s_openapi::api::core::v1::{
    Container, EnvFromSource, EnvVar, EphemeralContainer, Pod, PodSpec, Volume, VolumeMount,
};

use super::Case;

/// The list that a container stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Normal,
    Init,
    Ephemeral,
}

/// A container where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    pub section: Section,
    pub index: usize,
    pub name: &'p str,
    pub env: &'p [EnvVar],
    pub env_from: &'p [EnvFromSource],
    pub mounts: &'p [VolumeMount],
    /// The container whose processes an ephemeral one enters.
    pub target: Option<&'p str>,
    pub privileged: bool,
}

impl Place<'_> {
    /// Its path, as messages write it.
    pub fn path(&self) -> String {
        let list = match self.section {
            Section::Normal => "containers",
            Section::Init => "initContainers",
            Section::Ephemeral => "ephemeralContainers",
        };
        format!("spec.{list}[{}]", self.index)
    }
}

/// All containers of a pod.
pub fn places(pod: &Pod) -> Vec<Place<'_>> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let normal = spec.containers.iter().enumerate().map(|(index, found)| place(Section::Normal, index, found));
    let init = spec.init_containers.iter().flatten().enumerate();
    let init = init.map(|(index, found)| place(Section::Init, index, found));
    let others = spec.ephemeral_containers.iter().flatten().enumerate().map(|(index, found)| ephemeral(index, found));
    normal.chain(init).chain(others).collect()
}

fn place(section: Section, index: usize, found: &Container) -> Place<'_> {
    Place {
        section,
        index,
        name: &found.name,
        env: found.env.as_deref().unwrap_or_default(),
        env_from: found.env_from.as_deref().unwrap_or_default(),
        mounts: found.volume_mounts.as_deref().unwrap_or_default(),
        target: None,
        privileged: found.security_context.as_ref().is_some_and(|context| context.privileged == Some(true)),
    }
}

fn ephemeral(index: usize, found: &EphemeralContainer) -> Place<'_> {
    Place {
        section: Section::Ephemeral,
        index,
        name: &found.name,
        env: found.env.as_deref().unwrap_or_default(),
        env_from: found.env_from.as_deref().unwrap_or_default(),
        mounts: found.volume_mounts.as_deref().unwrap_or_default(),
        target: found.target_container_name.as_deref().filter(|name| !name.is_empty()),
        privileged: found.security_context.as_ref().is_some_and(|context| context.privileged == Some(true)),
    }
}

/// The container of a pod that a place stands for; ephemeral ones are never changed.
pub fn container_mut<'p>(spec: &'p mut PodSpec, place: &Place<'_>) -> Option<&'p mut Container> {
    match place.section {
        Section::Normal => spec.containers.get_mut(place.index),
        Section::Init => spec.init_containers.as_mut()?.get_mut(place.index),
        Section::Ephemeral => None,
    }
}

impl Case<'_> {
    pub fn volumes(&self) -> &[Volume] {
        self.pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default()
    }

    pub fn volume(&self, name: &str) -> Option<&Volume> {
        self.volumes().iter().find(|volume| volume.name == name)
    }
}
