//! The plan: what must change for the requirements to hold, and what stands in the way.
//!
//! Both modes compute the same plan. `mutate` makes its [`Changes`], `validate` tells them as findings.

use crate::finding::Finding;
use crate::json::{ObjectWriter, Splices};
use crate::pod::{Pod, Source};
use crate::requirement::{Requirement, State, VolumeSource};
use crate::rules::Rule;
use std::collections::{BTreeMap, BTreeSet};

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
            let mut changes = plan.changes.clone();
            let mut missing = false;
            let mut taken = Vec::new();
            for requirement in repair.requirements {
                match requirement.state(pod, &changes, &repair.origin) {
                    State::Met => {}
                    State::Missing => {
                        missing = true;
                        changes.add(requirement, &repair.origin);
                    }
                    State::Taken(place, problem) => {
                        taken.push(Finding { rule: repair.finding.rule, place, problem });
                    }
                }
            }
            if !taken.is_empty() {
                plan.findings.append(&mut taken);
                plan.refused.push(repair.origin);
            } else if missing && mends(repair.finding.rule) {
                plan.changes = changes;
                plan.mended.push(repair.finding);
            } else if missing {
                plan.unmended.push(repair.finding);
            }
        }
        plan
    }
}

/// Changes to a pod.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    volumes: Vec<(String, VolumeSource, String)>,
    gone_volumes: BTreeSet<usize>,
    containers: BTreeMap<usize, ContainerChanges>,
    automount: bool,
    expirations: BTreeMap<(usize, usize), i64>,
}

#[derive(Debug, Clone, Default)]
struct ContainerChanges {
    env: Vec<(String, String, String)>,
    mounts: Vec<(String, String, String)>,
    gone_mounts: BTreeSet<usize>,
}

impl Changes {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty()
            && self.gone_volumes.is_empty()
            && self.containers.is_empty()
            && !self.automount
            && self.expirations.is_empty()
    }

    /// Plans what makes a requirement met.
    pub fn add(&mut self, requirement: Requirement, origin: &str) {
        let origin = origin.to_owned();
        match requirement {
            Requirement::Volume { name, source } => self.volumes.push((name, source, origin)),
            Requirement::Mount { container, volume, path } => {
                self.containers.entry(container).or_default().mounts.push((volume, path, origin));
            }
            Requirement::Env { container, name, value } => {
                self.containers.entry(container).or_default().env.push((name, value, origin));
            }
            Requirement::NoMount { container, mount } => {
                self.containers.entry(container).or_default().gone_mounts.insert(mount);
            }
            Requirement::NoVolume { volume } => {
                self.gone_volumes.insert(volume);
            }
            Requirement::AutomountFalse => self.automount = true,
            Requirement::Expiration { volume, source, seconds } => {
                self.expirations.insert((volume, source), seconds);
            }
        }
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
        self.gone_volumes.contains(&volume)
    }

    /// Whether the mount is to go.
    #[must_use]
    pub fn is_mount_gone(&self, container: usize, mount: usize) -> bool {
        self.containers.get(&container).is_some_and(|changes| changes.gone_mounts.contains(&mount))
    }

    /// The containers that lose a mount.
    pub fn strips(&self) -> impl Iterator<Item = usize> {
        self.containers.iter().filter(|(_, changes)| !changes.gone_mounts.is_empty()).map(|(container, _)| *container)
    }

    /// The planned mounts of a container: volume, path and what asked for it.
    pub fn mounts(&self, container: usize) -> impl Iterator<Item = (&str, &str, &str)> {
        let mounts = self.containers.get(&container).into_iter().flat_map(|changes| &changes.mounts);
        mounts.map(|(volume, path, origin)| (volume.as_str(), path.as_str(), origin.as_str()))
    }

    /// What asked for the planned env variable of that name.
    #[must_use]
    pub fn env_origin(&self, container: usize, name: &str) -> Option<&str> {
        let mut env = self.containers.get(&container).into_iter().flat_map(|changes| &changes.env);
        env.find(|(planned, ..)| planned == name).map(|(.., origin)| origin.as_str())
    }

    /// Whether `automountServiceAccountToken` is to say false.
    #[must_use]
    pub fn sets_automount(&self) -> bool {
        self.automount
    }

    /// The pod's JSON with the changes made: everything else stays as it was written.
    #[must_use]
    pub fn apply(&self, pod: &Pod<'_>) -> String {
        let mut splices = Splices::default();
        for (index, changes) in &self.containers {
            let Some(container) = pod.containers.get(*index) else { continue };
            let env: Vec<String> = changes
                .env
                .iter()
                .map(|(name, value, _)| ObjectWriter::default().text("name", name).text("value", value).finish())
                .collect();
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
            let gone: Vec<usize> = changes.gone_mounts.iter().copied().collect();
            splices.remove(&ranges, &gone);
            splices.append(container.at, "volumeMounts", &container.mounts.slot, &mounts, gone.len());
        }
        let volumes: Vec<String> = self.volumes.iter().map(|(name, source, _)| source.json(name)).collect();
        let ranges: Vec<_> = pod.volumes.iter().map(|volume| volume.range.clone()).collect();
        let gone: Vec<usize> = self.gone_volumes.iter().copied().collect();
        splices.remove(&ranges, &gone);
        splices.append(pod.outline.spec.at, "volumes", &pod.volumes_slot, &volumes, gone.len());
        for ((volume, source), seconds) in &self.expirations {
            self.expire(pod, *volume, *source, *seconds, &mut splices);
        }
        if self.automount {
            match &pod.outline.spec.automount {
                Some((_, range)) => splices.replace(range.clone(), String::from("false")),
                None => splices.insert(pod.outline.spec.at, "automountServiceAccountToken", "false"),
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
