//! Rule `secret-access`: a protected Secret is referenced by pods that its `allow` admits, and by no other.
//!
//! The annotations of rule `credentials` are worth nothing while a pod can mount another team's key directly. So the
//! Secrets that the catalogue reads are protected, and those of `secretAccess.protected`. A reference counts whoever uses
//! it: a volume that no container mounts today can be mounted by an ephemeral one tomorrow.

use super::Rule;
use super::credentials::{Grants, may_use};
use crate::annotation;
use crate::finding::{Finding, Place, Problem};
use crate::json::{Result, Text};
use crate::names::is_dns_subdomain;
use crate::plan::Demands;
use crate::pod::{EnvValue, Pod, Section, Source, Volume};
use crate::request::Requester;
use crate::settings::access::{Allow, Claimant};
use crate::settings::pattern::any;
use crate::settings::{Action, Entry, ProtectedSecrets, Settings};

/// What the rule demands of a pod. `true`: a condition on the requester was counted as met. `with_annotation`: whether Google's
/// annotation is looked at; rule `credentials` denies a protected Secret there too, where it runs. `debugger`: who adds
/// ephemeral containers, if that is what is done: he makes their references, whoever made the pod.
///
/// # Errors
/// When the settings are not JSON.
pub fn demand<'a>(
    pod: &Pod<'a>,
    who: &Claimant<'_, '_>,
    settings: &Settings<'_>,
    with_annotation: bool,
    debugger: Option<&Requester<'_>>,
    demands: &mut Demands<'a>,
) -> Result<bool> {
    let mut references = references(pod);
    if with_annotation {
        references.extend(named(pod, settings));
    }
    let mut names: Vec<&str> = Vec::new();
    for (_, secret) in &references {
        if !names.contains(&secret.as_ref()) {
            names.push(secret);
        }
    }
    let guards = guards(&names, who.namespace, settings)?;
    let (mut unchecked, mut may) = (false, None);
    for (place, secret) in references {
        let mut guarded = false;
        let mut admitted = None;
        for guard in guards.iter().filter(|guard| guard.protects(&secret)) {
            guarded = true;
            let container = place.container().and_then(|index| pod.containers.get(index));
            let ephemeral = container.is_some_and(|container| container.section == Section::Ephemeral);
            let found = match debugger.filter(|_| ephemeral) {
                Some(requester) => guard.allow().admits(&Claimant { requester, ..*who }),
                None => guard.allow().admits(who),
            };
            admitted = Some(found).filter(|found| found.holds).or(admitted);
        }
        match admitted {
            Some(found) => unchecked |= found.unchecked,
            None if guarded => {
                let names = match &may {
                    Some(names) => names,
                    None => may.insert(may_use(who, false, settings)?),
                };
                let problem = Problem::ProtectedSecret(secret, names.clone());
                demands.findings.push(Finding { rule: Rule::SecretAccess, place, problem });
            }
            None => {}
        }
    }
    Ok(unchecked)
}

/// Notes a task pod's own tokens for an audience that a credential of the catalogue uses, in containers that were not
/// granted it: the cloud trusts the ServiceAccount, not the annotation.
///
/// # Errors
/// When the settings are not JSON.
pub fn own_tokens<'a>(
    pod: &Pod<'a>,
    grants: &Grants,
    settings: &Settings<'_>,
    demands: &mut Demands<'a>,
) -> Result<()> {
    if settings.secret_access.token_audiences == Action::Off || settings.credentials.is_empty() {
        return Ok(());
    }
    let audiences = |volume: &Volume<'a>| -> Vec<Text<'a>> {
        let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
        let audience = |source: &Source<'a>| match source {
            Source::Token { audience, .. } if !audience.is_empty() => Some(audience.clone()),
            _ => None,
        };
        sources.filter_map(audience).collect()
    };
    let mut found: Vec<(Place<'a>, usize, Text<'a>, Text<'a>)> = Vec::new();
    let volumes: Vec<(&Volume<'a>, Vec<Text<'a>>)> =
        pod.volumes.iter().map(|volume| (volume, audiences(volume))).filter(|(_, list)| !list.is_empty()).collect();
    if volumes.is_empty() {
        return Ok(());
    }
    for (container, holder) in pod.containers.iter().enumerate() {
        for (index, mount) in holder.mounts.items.iter().enumerate() {
            let Some((volume, audiences)) = volumes.iter().find(|(volume, _)| volume.name == mount.volume) else {
                continue;
            };
            let foreign = audiences.iter().filter(|audience| !grants.has_audience(container, audience));
            found
                .extend(foreign.map(|audience| {
                    (Place::Mount(container, index), container, volume.name.clone(), audience.clone())
                }));
        }
    }
    let mut wanted: Vec<&str> = Vec::new();
    for (.., audience) in &found {
        if !wanted.contains(&audience.as_ref()) {
            wanted.push(audience);
        }
    }
    let used = settings.credentials.used_audiences(&wanted)?;
    let used: Vec<String> = used.into_iter().map(str::to_owned).collect();
    for (place, _, volume, audience) in found {
        if used.iter().any(|known| *known == audience) {
            let problem = Problem::OwnToken(volume, audience);
            demands.findings.push(Finding { rule: Rule::SecretAccess, place, problem });
        }
    }
    Ok(())
}

/// Whether a Secret is protected in a namespace, whatever the rule's action.
///
/// # Errors
/// When the settings are not JSON.
pub fn protects(secret: &str, namespace: &str, settings: &Settings<'_>) -> Result<bool> {
    Ok(guards(&[secret], namespace, settings)?.iter().any(|guard| guard.protects(secret)))
}

/// What protects Secrets.
enum Guard<'s, 'd> {
    Credential(Entry<'d>),
    Listed(&'s ProtectedSecrets<'d>),
}

/// What protects one of these Secrets in a namespace.
fn guards<'s, 'd>(secrets: &[&str], namespace: &str, settings: &'s Settings<'d>) -> Result<Vec<Guard<'s, 'd>>> {
    // A credential that nobody may use protects its Secret everywhere.
    let here = |allow: &Allow<'_>| allow.namespaces.as_ref().is_none_or(|list| any(&list.0, namespace));
    let entries = settings.credentials.reading(secrets)?.into_iter().filter(|entry| here(&entry.allow));
    let mut guards: Vec<Guard<'s, 'd>> = entries.map(Guard::Credential).collect();
    if !secrets.is_empty() {
        let listed = settings.secret_access.protected.iter();
        let there = |entry: &&ProtectedSecrets<'_>| {
            entry.namespaces.as_ref().is_some_and(|namespaces| any(&namespaces.0, namespace))
        };
        guards.extend(listed.filter(there).map(Guard::Listed));
    }
    Ok(guards)
}

impl<'d> Guard<'_, 'd> {
    fn protects(&self, secret: &str) -> bool {
        match self {
            Self::Credential(entry) => entry.credential.secret(&entry.name) == Some(secret),
            Self::Listed(entry) => entry.secrets.as_ref().is_some_and(|names| any(&names.0, secret)),
        }
    }

    fn allow(&self) -> &Allow<'d> {
        match self {
            Self::Credential(entry) => &entry.allow,
            Self::Listed(entry) => &entry.allow,
        }
    }
}

/// The Secret that Google's annotation names.
fn named<'a>(pod: &Pod<'a>, settings: &Settings<'_>) -> Option<(Place<'a>, Text<'a>)> {
    let (_, name) = pod.metadata().annotations.iter().find(|(key, _)| key == annotation::GOOGLE)?;
    let is_secret = is_dns_subdomain(name) && !settings.credentials.has(name);
    is_secret.then(|| (Place::Annotation(Text::Borrowed(annotation::GOOGLE)), name.clone()))
}

/// The Secrets that a volume is made of, or that its driver is handed.
fn secrets<'v, 'a>(volume: &'v Volume<'a>) -> impl Iterator<Item = &'v Text<'a>> {
    let projected = volume.projected.iter().flat_map(|projected| &projected.sources);
    let projected = projected.filter_map(|source| match source {
        Source::Secret(secret) => Some(&secret.name),
        _ => None,
    });
    projected.chain(volume.secret.as_ref().map(|secret| &secret.name)).chain(&volume.driver_secret)
}

/// Every Secret that a pod names, and where. `imagePullSecrets` are no reference: no container gets at them.
fn references<'a>(pod: &Pod<'a>) -> Vec<(Place<'a>, Text<'a>)> {
    let mut found: Vec<(Place<'a>, Text<'a>)> = Vec::new();
    for (index, volume) in pod.volumes.iter().enumerate() {
        found.extend(secrets(volume).map(|name| (Place::Volume(index), name.clone())));
    }
    for (container, holder) in pod.containers.iter().enumerate() {
        if holder.section == Section::Ephemeral {
            // The volume may be an old one; who mounts it is new.
            for (index, mount) in holder.mounts.items.iter().enumerate() {
                let volume = pod.volume(&mount.volume).map(|(_, volume)| volume);
                let all = volume.into_iter().flat_map(secrets);
                found.extend(all.map(|name| (Place::Mount(container, index), name.clone())));
            }
        }
        for (index, env) in holder.env.items.iter().enumerate() {
            if let EnvValue::Secret { name, .. } = &env.value {
                found.push((Place::Env(container, index), name.clone()));
            }
        }
        for (index, secret) in holder.env_from.iter().enumerate() {
            found.extend(secret.as_ref().map(|name| (Place::EnvFrom(container, index), name.clone())));
        }
    }
    found
}
