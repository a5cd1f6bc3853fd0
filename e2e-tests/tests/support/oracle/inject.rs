//! What credentials put into containers, and what stands in their way.

use k8s_openapi::api::core::v1::{EnvVar, Volume, VolumeMount};

use super::credentials::Grants;
use super::debug;
use super::needs::{Needs, REGIONS, needs};
use super::pattern::{clean, is_within};
use super::places::{Place, container_mut};
use super::settings::Action;
use super::{Case, Outcome, Outside};

/// What belongs together: who sets one of them meant an identity of its own.
const PAIR: [&str; 2] = ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"];

pub fn judge(case: &Case<'_>, grants: &Grants, action: Action, outcome: &mut Outcome) -> Result<(), Outside> {
    let needs_of = grants.list.iter().map(|grant| Ok((grant, needs(grant)?))).collect::<Result<Vec<_>, Outside>>()?;
    let is_target = |place: &&Place<'_>| grants.targets.contains(&(place.section, place.index));
    if case.question.stored {
        // What is in the stored pod is not judged again.
        let needs: Vec<&Needs> = needs_of.iter().map(|(_, needs)| needs).collect();
        return debug::judge(case, grants, &needs, action, outcome);
    }
    if grants.targets.is_empty() {
        return Ok(());
    }
    let mut conflicts: Vec<usize> = Vec::new();
    for (at, (grant, needs)) in needs_of.iter().enumerate() {
        let before = outcome.findings.len();
        volume(case, needs, action, outcome);
        let earlier = || (0..at).filter(|one| !conflicts.contains(one)).map(|one| &needs_of[one].1);
        let claimed: Vec<&str> =
            earlier().flat_map(|needs| &needs.env).map(|variable| variable.name.as_str()).collect();
        for place in case.places.iter().filter(is_target) {
            mounts(place, needs, action, outcome);
            env(place, needs, &claimed, action, outcome);
        }
        // The first is injected as if there were no second; one that conflicts with the pod is not there for others.
        if earlier().any(|one| !get_along(one, needs) || case.can_change() && are_rivals(one, needs)) {
            for place in case.places.iter().filter(is_target) {
                outcome.find("credentials/two-credentials", &place.path(), action);
            }
        }
        if outcome.findings.len() == before {
            if add(case, grants, needs, outcome) {
                outcome.mend("credentials/not-injected", &format!("metadata.annotations[{}]", grant.key), action);
            }
            continue;
        }
        conflicts.push(at);
        if action == Action::Audit {
            return Err(Outside("a conflict that is only reported"));
        }
    }
    Ok(())
}

/// Adds what is lacking, and tells whether something was.
fn add(case: &Case<'_>, grants: &Grants, needs: &Needs, outcome: &mut Outcome) -> bool {
    let mut added = false;
    let Some(spec) = &mut outcome.pod.spec else { return false };
    for place in case.places.iter().filter(|place| grants.targets.contains(&(place.section, place.index))) {
        let Some(container) = container_mut(spec, place) else { continue };
        if let Some(mount) = &needs.mount {
            let mounts = container.volume_mounts.get_or_insert_default();
            if !mounts.iter().any(|there| is_mount(there, mount)) {
                mounts.push(mount.clone());
                added = true;
            }
        }
        let env = container.env.get_or_insert_default();
        let own_region = env.iter().any(|there| REGIONS.contains(&there.name.as_str()));
        for variable in &needs.env {
            let is_there = env.iter().any(|there| there.name == variable.name);
            let own = own_region && REGIONS.contains(&variable.name.as_str());
            if !is_there && !own {
                env.push(variable.clone());
                added = true;
            }
        }
    }
    if let Some(volume) = &needs.volume {
        let volumes = spec.volumes.get_or_insert_default();
        if !volumes.iter().any(|there| there.name == volume.name) {
            volumes.push(volume.clone());
            added = true;
        }
    }
    added
}

fn get_along(one: &Needs, other: &Needs) -> bool {
    // Who gets a region of the one needs none of the other.
    let mut claimed = one.env.iter().filter(|variable| !REGIONS.contains(&variable.name.as_str()));
    let same_variable = claimed.any(|variable| other.env.iter().any(|second| second.name == variable.name));
    let (name, path) = (
        |needs: &Needs| needs.volume.as_ref().map(|volume| volume.name.clone()),
        |needs: &Needs| needs.mount.as_ref().map(|mount| mount.mount_path.clone()),
    );
    let same_volume = name(one).is_some() && name(one) == name(other);
    let same_path = path(one).is_some() && path(one) == path(other);
    !(same_variable || same_volume || same_path)
}

/// Whether SDKs would use one instead of the other. A deviation: of a static pod, which is not changed, the policy does not
/// tell this; it is denied for what it lacks.
fn are_rivals(one: &Needs, other: &Needs) -> bool {
    let shadows =
        |one: &Needs, other: &Needs| one.env.iter().any(|variable| other.shadows.contains(&variable.name.as_str()));
    shadows(one, other) || shadows(other, one)
}

/// The pod's own volume of that name, and containers that would get it without being granted it.
fn volume(case: &Case<'_>, needs: &Needs, action: Action, outcome: &mut Outcome) {
    let Some(needed) = &needs.volume else { return };
    if let Some(at) = case.volumes().iter().position(|volume| volume.name == needed.name) {
        if !is_volume(&case.volumes()[at], needed) {
            outcome.find("credentials/volume-taken", &format!("spec.volumes[{at}]"), action);
        }
        return;
    }
    // A deviation: a granted container that has the very mount already is to be left as it is, and only lacks the volume.
    for place in &case.places {
        for (at, _) in place.mounts.iter().enumerate().filter(|(_, mount)| mount.name == needed.name) {
            outcome.find("credentials/dangling-mount", &format!("{}.volumeMounts[{at}]", place.path()), action);
        }
    }
}

fn mounts(place: &Place<'_>, needs: &Needs, action: Action, outcome: &mut Outcome) {
    let Some(needed) = &needs.mount else { return };
    for (at, mount) in place.mounts.iter().enumerate() {
        if is_within(&mount.mount_path, &needed.mount_path) && !is_mount(mount, needed) {
            outcome.find("credentials/mount-taken", &format!("{}.volumeMounts[{at}]", place.path()), action);
        }
    }
}

fn env(place: &Place<'_>, needs: &Needs, claimed: &[&str], action: Action, outcome: &mut Outcome) {
    let path = |at: usize| format!("{}.env[{at}]", place.path());
    for needed in needs.env.iter().filter(|needed| !claimed.contains(&needed.name.as_str())) {
        let there: Vec<usize> = (0..place.env.len()).filter(|at| place.env[*at].name == needed.name).collect();
        let is_region = REGIONS.contains(&needed.name.as_str());
        let other = there.iter().find(|at| !is_variable(&place.env[**at], needed));
        let taken = other.or(there.get(1)).filter(|_| !is_region);
        if let Some(at) = taken {
            outcome.find("credentials/env-taken", &path(*at), action);
        }
    }
    let sets = |name: &&&str| place.env.iter().any(|variable| variable.name == **name);
    let is_web = needs.env.iter().any(|variable| variable.name == PAIR[0]);
    if is_web && PAIR.iter().filter(sets).count() == 1 {
        outcome.find("credentials/half-set", &place.path(), action);
    }
    for shadow in needs.shadows {
        if let Some(at) = place.env.iter().position(|variable| variable.name == *shadow) {
            outcome.find("credentials/shadowed", &path(at), action);
        }
    }
}

/// Whether the pod's own mount is the one that is needed, however its path is written.
fn is_mount(own: &VolumeMount, needed: &VolumeMount) -> bool {
    own.name == needed.name
        && clean(&own.mount_path) == clean(&needed.mount_path)
        && own.read_only == Some(true)
        && own.sub_path.as_deref().is_none_or(str::is_empty)
        && own.sub_path_expr.as_deref().is_none_or(str::is_empty)
}

/// Whether the pod's own volume has the needed source, whatever its files' mode.
fn is_volume(own: &Volume, needed: &Volume) -> bool {
    let mut own = own.clone();
    if let Some(secret) = own.secret.as_mut() {
        secret.default_mode = None;
    }
    if let Some(projected) = own.projected.as_mut() {
        projected.default_mode = None;
    }
    own == *needed
}

/// Whether the pod's own variable is the one that is needed; an empty value is none.
fn is_variable(own: &EnvVar, needed: &EnvVar) -> bool {
    let mut own = own.clone();
    own.value = own.value.filter(|value| !value.is_empty());
    own == *needed
}
