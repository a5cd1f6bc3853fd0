//! The plan: what must change for the requirements to hold, and what stands in the way.
//!
//! Both modes compute the same plan. `mutate` makes its [`Changes`], `validate` tells them as findings.

use crate::finding::Finding;
use crate::json::{ObjectWriter, Splices, Text, quote};
use crate::pod::{MapAt, MapPlace, Metadata, Pod, Source};
use crate::requirement::{EnvSource, Requirement, State, VolumeSource};
use crate::rules::Rule;
use crate::sorted::Flags;

/// How many clashes of one repair are told.
const CLASHES: usize = 10;

/// Requirements that are met together or not at all.
#[derive(Debug)]
pub struct Repair<'a> {
    /// What it is to say when they are not met, and nothing makes them so.
    pub finding: Finding<'a>,
    /// What asks for them, as a message calls it.
    pub origin: String,
    /// The requirements.
    pub requirements: Vec<Requirement>,
}

/// What the rules want.
#[derive(Debug, Default)]
pub struct Demands<'a> {
    /// What can be mended.
    pub repairs: Vec<Repair<'a>>,
    /// What can't.
    pub findings: Vec<Finding<'a>>,
}

/// What has to happen.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// The changes that `mutate` makes.
    pub changes: Changes,
    /// What these changes mend.
    pub mended: Vec<Finding<'a>>,
    /// What is not mended, though it could be: the rule only reports.
    pub unmended: Vec<Finding<'a>>,
    /// What can't be mended.
    pub findings: Vec<Finding<'a>>,
    /// What asked for repairs that something stands in the way of.
    pub refused: Vec<String>,
}

impl<'a> Plan<'a> {
    /// Compares what is wanted with what is there. `mends` tells for which rules changes are made at all.
    #[must_use]
    pub fn new(pod: &Pod<'a>, demands: Demands<'a>, mends: impl Fn(Rule) -> bool) -> Self {
        let mut plan = Self { findings: demands.findings, ..Self::default() };
        for repair in demands.repairs {
            let mut added = Vec::new();
            let mut taken = Vec::new();
            for requirement in repair.requirements {
                match requirement.state(pod, &plan.changes, &repair.origin) {
                    State::Met => plan.changes.hold(&requirement, &repair.origin),
                    State::Missing => {
                        plan.changes.add(&requirement, &repair.origin);
                        added.push(requirement);
                    }
                    // One finding for two credentials that are at odds, however much they both need.
                    State::Taken(_, problem) if problem.is_told_by(&taken) => {}
                    State::Taken(place, problem) => {
                        taken.push(Finding { rule: repair.finding.rule, place, problem });
                        // The same clash in container after container says nothing new.
                        if taken.len() == CLASHES {
                            break;
                        }
                    }
                }
            }
            let mended = taken.is_empty() && mends(repair.finding.rule);
            if !mended {
                added.iter().for_each(|requirement| plan.changes.undo(requirement));
                plan.changes.release(&repair.origin);
            }
            if !taken.is_empty() {
                plan.findings.append(&mut taken);
                plan.refused.push(repair.origin);
            } else if !added.is_empty() {
                if mended { &mut plan.mended } else { &mut plan.unmended }.push(repair.finding);
            }
        }
        plan
    }
}

/// Changes to a pod.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    volumes: Vec<(String, VolumeSource, String)>,
    gone_volumes: Flags,
    /// By the containers' indices, as far as one is changed.
    containers: Vec<ContainerChanges>,
    automount: Option<bool>,
    /// Key and value.
    annotations: Vec<(String, String)>,
    /// Key and value.
    labels: Vec<(String, String)>,
    /// Volume, source and seconds.
    expirations: Vec<(usize, usize, i64)>,
    /// The sources of `expirations`, by volume.
    limited: Vec<Flags>,
}

#[derive(Debug, Clone, Default)]
struct ContainerChanges {
    env: Vec<(String, EnvSource, String)>,
    /// Env variables that must not be added, and what would be shadowed by them.
    clear: Vec<(&'static str, String)>,
    /// Env variables that the container has as they are needed, and what needs them.
    claimed: Vec<(String, String)>,
    mounts: Vec<(String, String, String)>,
    gone_mounts: Flags,
}

impl ContainerChanges {
    fn is_empty(&self) -> bool {
        self.env.is_empty() && self.mounts.is_empty() && self.gone_mounts.is_empty()
    }
}

impl Changes {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty()
            && self.gone_volumes.is_empty()
            && self.containers.iter().all(ContainerChanges::is_empty)
            && self.automount.is_none()
            && self.annotations.is_empty()
            && self.labels.is_empty()
            && self.expirations.is_empty()
    }

    /// Plans what makes a requirement met that is not.
    fn add(&mut self, requirement: &Requirement, origin: &str) {
        let origin = origin.to_owned();
        match requirement {
            Requirement::Volume { name, source } => self.volumes.push((name.clone(), source.clone(), origin)),
            Requirement::Mount { container, volume, path } => {
                self.edit(*container, |changes| changes.mounts.push((volume.clone(), path.clone(), origin.clone())));
            }
            Requirement::Env { container, name, value } => {
                self.edit(*container, |changes| changes.env.push((name.clone(), value.clone(), origin.clone())));
            }
            Requirement::EnvDefault { container, names, value } => self.edit(*container, |changes| {
                let entry = |name: &&str| ((*name).to_owned(), EnvSource::Literal(value.clone()), origin.clone());
                changes.env.extend(names.iter().map(entry));
            }),
            Requirement::Annotation { key, value } => self.annotations.push((key.clone(), value.clone())),
            Requirement::Label { key, value } => self.labels.push((key.clone(), value.clone())),
            // Nothing is added for them: they are met or not.
            Requirement::Unshadowed { .. } | Requirement::Whole { .. } => {}
            Requirement::NoMount { container, mount } => {
                self.edit(*container, |changes| changes.gone_mounts.set(*mount, true));
            }
            Requirement::NoVolume { volume } => {
                self.gone_volumes.set(*volume, true);
            }
            Requirement::Automount(value) => self.automount = Some(*value),
            Requirement::Expiration { volume, source, seconds } => {
                self.expirations.push((*volume, *source, *seconds));
                if self.limited.len() <= *volume {
                    self.limited.resize_with(*volume + 1, Flags::default);
                }
                self.limited.get_mut(*volume).into_iter().for_each(|sources| sources.set(*source, true));
            }
        }
    }

    /// Takes back what [`Changes::add`] planned for a requirement.
    fn undo(&mut self, requirement: &Requirement) {
        match requirement {
            Requirement::Volume { name, .. } => self.volumes.retain(|(volume, ..)| volume != name),
            Requirement::Mount { container, volume, path } => {
                self.edit(*container, |changes| {
                    changes.mounts.retain(|(mounted, at, _)| mounted != volume || at != path)
                });
            }
            Requirement::Env { container, name, .. } => {
                self.edit(*container, |changes| changes.env.retain(|(planned, ..)| planned != name));
            }
            Requirement::EnvDefault { container, names, .. } => {
                self.edit(*container, |changes| changes.env.retain(|(planned, ..)| !names.contains(&planned.as_str())));
            }
            Requirement::Annotation { key, .. } => self.annotations.retain(|(planned, _)| planned != key),
            Requirement::Label { key, .. } => self.labels.retain(|(planned, _)| planned != key),
            Requirement::Unshadowed { .. } | Requirement::Whole { .. } => {}
            Requirement::NoMount { container, mount } => {
                self.edit(*container, |changes| changes.gone_mounts.set(*mount, false))
            }
            Requirement::NoVolume { volume } => self.gone_volumes.set(*volume, false),
            Requirement::Automount(_) => self.automount = None,
            Requirement::Expiration { volume, source, .. } => {
                self.expirations.retain(|(limited, at, _)| limited != volume || at != source);
                self.limited.get_mut(*volume).into_iter().for_each(|sources| sources.set(*source, false));
            }
        }
    }

    /// Notes what a requirement that is met holds for itself: variables that nothing may add, or claim a second time.
    fn hold(&mut self, requirement: &Requirement, origin: &str) {
        match requirement {
            Requirement::Unshadowed { container, names } => self.edit(*container, |changes| {
                changes.clear.extend(names.iter().map(|name| (*name, origin.to_owned())));
            }),
            Requirement::Env { container, name, .. } => {
                self.edit(*container, |changes| changes.claimed.push((name.clone(), origin.to_owned())));
            }
            _ => {}
        }
    }

    /// Forgets what was kept clear for a repair that is not made.
    fn release(&mut self, origin: &str) {
        for changes in &mut self.containers {
            changes.clear.retain(|(_, by)| by != origin);
            changes.claimed.retain(|(_, by)| by != origin);
        }
    }

    fn edit(&mut self, container: usize, edit: impl FnMut(&mut ContainerChanges)) {
        if self.containers.len() <= container {
            self.containers.resize_with(container + 1, ContainerChanges::default);
        }
        self.containers.get_mut(container).into_iter().for_each(edit);
    }

    /// The planned volume of that name, and what asked for it.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<(&VolumeSource, &str)> {
        let found = self.volumes.iter().find(|(volume, ..)| volume == name);
        found.map(|(_, source, origin)| (source, origin.as_str()))
    }

    /// Whether the volume is to go.
    #[must_use]
    pub fn is_volume_gone(&self, volume: usize) -> bool {
        self.gone_volumes.has(volume)
    }

    /// Whether the mount is to go.
    #[must_use]
    pub fn is_mount_gone(&self, container: usize, mount: usize) -> bool {
        self.containers.get(container).is_some_and(|changes| changes.gone_mounts.has(mount))
    }

    /// Whether the validity of a projected token is to change.
    #[must_use]
    pub fn limits(&self, volume: usize, source: usize) -> bool {
        self.limited.get(volume).is_some_and(|sources| sources.has(source))
    }

    /// The planned mounts of a container: volume, path and what asked for it.
    pub fn mounts(&self, container: usize) -> impl Iterator<Item = (&str, &str, &str)> {
        let mounts = self.containers.get(container).into_iter().flat_map(|changes| &changes.mounts);
        mounts.map(|(volume, path, origin)| (volume.as_str(), path.as_str(), origin.as_str()))
    }

    /// What asked for the planned env variable of that name.
    #[must_use]
    pub fn env_origin(&self, container: usize, name: &str) -> Option<&str> {
        let mut env = self.containers.get(container).into_iter().flat_map(|changes| &changes.env);
        env.find(|(planned, ..)| planned == name).map(|(.., origin)| origin.as_str())
    }

    /// What would be shadowed by an env variable of that name.
    #[must_use]
    pub fn kept_clear_for(&self, container: usize, name: &str) -> Option<&str> {
        let mut clear = self.containers.get(container).into_iter().flat_map(|changes| &changes.clear);
        clear.find(|(kept, _)| *kept == name).map(|(_, by)| by.as_str())
    }

    /// What needs the env variable of that name as the container has it.
    #[must_use]
    pub fn claimed_by(&self, container: usize, name: &str) -> Option<&str> {
        let mut claimed = self.containers.get(container).into_iter().flat_map(|changes| &changes.claimed);
        claimed.find(|(known, _)| known == name).map(|(_, by)| by.as_str())
    }

    /// The planned value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.iter().find(|(planned, _)| planned == key).map(|(_, value)| value.as_str())
    }

    /// What `automountServiceAccountToken` is to say.
    #[must_use]
    pub fn sets_automount(&self) -> Option<bool> {
        self.automount
    }

    /// The pod's JSON with the changes made: everything else stays as it was written.
    #[must_use]
    pub fn apply(&self, pod: &Pod<'_>) -> String {
        let mut splices = Splices::default();
        for (container, changes) in pod.containers.iter().zip(&self.containers) {
            if changes.is_empty() {
                continue;
            }
            let env: Vec<String> = changes.env.iter().map(|(name, value, _)| value.json(name)).collect();
            splices.append(container.at, "env", &container.env.slot, &env, 0);
            let mounts: Vec<String> = changes
                .mounts
                .iter()
                .map(|(volume, path, _)| {
                    let mount = ObjectWriter::default().text("name", volume).text("mountPath", path);
                    mount.raw("readOnly", "true").finish()
                })
                .collect();
            let ranges: Vec<_> = container.mounts.items.iter().map(|mount| mount.range.clone()).collect();
            splices.remove(&ranges, &changes.gone_mounts);
            splices.append(container.at, "volumeMounts", &container.mounts.slot, &mounts, changes.gone_mounts.len());
        }
        let volumes: Vec<String> = self.volumes.iter().map(|(name, source, _)| source.json(name)).collect();
        let ranges: Vec<_> = pod.volumes.iter().map(|volume| volume.range.clone()).collect();
        splices.remove(&ranges, &self.gone_volumes);
        splices.append(pod.outline.spec.at, "volumes", &pod.volumes_slot, &volumes, self.gone_volumes.len());
        let metadata = pod.metadata();
        set(&mut splices, metadata, "labels", &metadata.labels, &metadata.labels_at, &self.labels);
        set(&mut splices, metadata, "annotations", &metadata.annotations, &metadata.annotations_at, &self.annotations);
        for (volume, source, seconds) in &self.expirations {
            self.expire(pod, *volume, *source, *seconds, &mut splices);
        }
        if let Some(value) = self.automount {
            match &pod.outline.spec.automount {
                Some((_, range)) => splices.replace(range.clone(), value.to_string()),
                None => splices.insert(pod.outline.spec.at, "automountServiceAccountToken", &value.to_string()),
            }
        }
        splices.apply(pod.outline.text, pod.outline.range.clone())
    }

    fn expire(&self, pod: &Pod<'_>, volume: usize, source: usize, seconds: i64, splices: &mut Splices) {
        let projected = pod.volumes.get(volume).and_then(|volume| volume.projected.as_ref());
        let found = projected.and_then(|projected| projected.sources.get(source));
        if let (Some(Source::Token { at, expiration, .. }), false) = (found, self.is_volume_gone(volume)) {
            match expiration {
                Some((_, range)) => splices.replace(range.clone(), seconds.to_string()),
                None => splices.insert(*at, "expirationSeconds", &seconds.to_string()),
            }
        }
    }
}

/// Sets keys of a map of the metadata: in their place where they stand, else behind the last.
fn set(
    splices: &mut Splices,
    metadata: &Metadata<'_>,
    field: &str,
    known: &[(Text<'_>, Text<'_>)],
    at: &MapAt,
    wanted: &[(String, String)],
) {
    let quoted = |text: &str| {
        let mut json = String::new();
        quote(&mut json, text);
        json
    };
    let mut added = Vec::new();
    for (key, value) in wanted {
        match known.iter().position(|(name, _)| name == key).and_then(|index| at.values.get(index)) {
            Some(range) => splices.replace(range.clone(), quoted(value)),
            None => added.push((key, quoted(value))),
        }
    }
    if added.is_empty() {
        return;
    }
    if let Some(MapPlace::Object(object)) = &at.place {
        added.iter().for_each(|(key, value)| splices.insert(*object, key, value));
        return;
    }
    let map = added.iter().fold(ObjectWriter::default(), |map, (key, value)| map.raw(key, value)).finish();
    match &at.place {
        Some(MapPlace::Null(range)) => splices.replace(range.clone(), map),
        _ => splices.insert(metadata.at, field, &map),
    }
}
