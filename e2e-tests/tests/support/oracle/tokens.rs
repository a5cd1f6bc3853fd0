//! Rule `token-mounts`.

use k8s_openapi::api::core::v1::{Pod, ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection};

use super::credentials::Grants;
use super::literal::holds_token;
use super::made::{is_same, made};
use super::pattern::{any, clean, is_within};
use super::places::{Place, Section, container_mut};
use super::settings::{Action, TokenVolume};
use super::volumes::{is_injected_mount, sources};
use super::who::Who;
use super::{Case, Outcome, Outside};

/// How long a token is valid that says nothing.
pub const DEFAULT_SECONDS: i64 = 3600;

pub fn judge(case: &Case<'_>, grants: &Grants, outcome: &mut Outcome) -> Result<(), Outside> {
    let action = case.token_action();
    if action == Action::Off {
        return Ok(());
    }
    let rule = Rule { case, grants, action, volume: &case.settings.token_mounts.service_account_token_volume };
    rule.others(outcome);
    rule.literals(outcome);
    let before = outcome.findings.len();
    rule.holders(outcome);
    let is_conflict = |finding: &super::Finding| !finding.mended;
    if action == Action::Audit && outcome.findings[before..].iter().any(is_conflict) {
        return Err(Outside("a conflict that is only reported"));
    }
    rule.processes(outcome);
    rule.automount(outcome);
    if action == Action::Enforce {
        rule.mend(&mut outcome.pod);
    }
    Ok(())
}

struct Rule<'r> {
    case: &'r Case<'r>,
    grants: &'r Grants,
    action: Action,
    volume: &'r TokenVolume,
}

impl<'r> Rule<'r> {
    fn may_hold(&self, place: &Place<'_>) -> bool {
        self.case.may_hold(place.section, place.name)
    }

    fn all_holders(&self) -> impl Iterator<Item = &'r Place<'r>> {
        self.case.places.iter().filter(|place| self.may_hold(place))
    }

    /// The mounts of a container that give it an API credential, with the volumes.
    fn bearing(&self, place: &'r Place<'r>) -> Vec<(usize, &'r VolumeMount, &'r Volume)> {
        let granted = self.grants.audiences(place);
        let mounts = place.mounts.iter().enumerate();
        let mounted = mounts.filter_map(|(at, mount)| Some((at, mount, self.case.volume(&mount.name)?)));
        mounted.filter(|(.., volume)| self.case.bears(volume, &granted)).collect()
    }

    /// Whether a holder is to get the volume: the setting is on and it projects no token or certificate of its own.
    fn is_to_get(&self, place: &'r Place<'r>) -> bool {
        let is_own = |mount: &VolumeMount, volume: &Volume| {
            let is_api = |token: &ServiceAccountTokenProjection| self.case.is_api(token.audience.as_deref(), &[]);
            let holds = |source: &VolumeProjection| {
                source.service_account_token.as_ref().is_some_and(is_api) || source.pod_certificate.is_some()
            };
            !is_injected_mount(mount, volume) && sources(volume).any(holds)
        };
        self.volume.enabled
            && self.may_hold(place)
            && !self.bearing(place).iter().any(|(_, mount, volume)| is_own(mount, volume))
    }

    /// Containers that may hold nothing.
    fn others(&self, outcome: &mut Outcome) {
        let secrets = &self.case.settings.token_mounts.token_secrets;
        for place in self.case.places.iter().filter(|place| !self.may_hold(place)) {
            for (at, mount, volume) in self.bearing(place) {
                let path = format!("{}.volumeMounts[{at}]", place.path());
                match is_injected_mount(mount, volume) && place.section != Section::Ephemeral {
                    true => outcome.mend("token-mounts/injected-token", &path, self.action),
                    false => outcome.find("token-mounts/declared-token", &path, self.action),
                }
            }
            for (at, variable) in place.env.iter().enumerate() {
                let secret = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
                if secret.is_some_and(|secret| any(secrets, &secret.name)) {
                    outcome.find("token-mounts/token-env", &format!("{}.env[{at}]", place.path()), self.action);
                }
            }
            for (at, from) in place.env_from.iter().enumerate() {
                if from.secret_ref.as_ref().is_some_and(|secret| any(secrets, &secret.name)) {
                    outcome.find("token-mounts/token-env", &format!("{}.envFrom[{at}]", place.path()), self.action);
                }
            }
        }
    }

    /// Tokens that are written out.
    fn literals(&self, outcome: &mut Outcome) {
        for place in &self.case.places {
            for (at, variable) in place.env.iter().enumerate() {
                if variable.value.as_deref().is_some_and(holds_token) {
                    outcome.find("token-mounts/literal-token", &format!("{}.env[{at}]", place.path()), self.action);
                }
            }
        }
        for (key, value) in self.case.annotations() {
            if holds_token(&value) {
                outcome.find("token-mounts/literal-token", &format!("metadata.annotations[{key}]"), self.action);
            }
        }
    }

    fn holders(&self, outcome: &mut Outcome) {
        let case = self.case;
        let gets = self.all_holders().any(|place| self.is_to_get(place));
        let there = case.volume(&self.volume.volume_name);
        let taken = gets && there.is_some_and(|there| !is_same(there, &made(self.volume)));
        if taken {
            let at = case.volumes().iter().position(|volume| volume.name == self.volume.volume_name);
            outcome.find(
                "token-mounts/volume-taken",
                &format!("spec.volumes[{}]", at.unwrap_or_default()),
                self.action,
            );
        }
        let is_kept_from = taken || gets && there.is_none() && self.dangling(outcome);
        for place in &case.places {
            if self.is_to_get(place) {
                let before = outcome.findings.len();
                for (at, mount) in place.mounts.iter().enumerate() {
                    let goes = case.volume(&mount.name).is_some_and(|volume| is_injected_mount(mount, volume));
                    if !goes && is_within(&mount.mount_path, &self.volume.mount_path) && !self.is_mount(mount) {
                        let path = format!("{}.volumeMounts[{at}]", place.path());
                        outcome.find("token-mounts/mount-taken", &path, self.action);
                    }
                }
                if outcome.findings.len() == before && !is_kept_from {
                    outcome.mend("token-mounts/holder-lacks-token", &place.path(), self.action);
                }
            } else if self.may_hold(place) {
                for (_, _, volume) in self.bearing(place) {
                    if self.is_long(volume) {
                        outcome.mend("token-mounts/long-token", &place.path(), self.action);
                    }
                }
            }
        }
    }

    /// Mounts of the volume that is to be added. A deviation: a holder that has the very mount already only lacks the volume.
    fn dangling(&self, outcome: &mut Outcome) -> bool {
        let before = outcome.findings.len();
        for place in &self.case.places {
            let is_dangling = |mount: &VolumeMount| mount.name == self.volume.volume_name;
            for (at, _) in place.mounts.iter().enumerate().filter(|(_, mount)| is_dangling(mount)) {
                let path = format!("{}.volumeMounts[{at}]", place.path());
                outcome.find("token-mounts/dangling-mount", &path, self.action);
            }
        }
        outcome.findings.len() > before
    }

    fn is_mount(&self, mount: &VolumeMount) -> bool {
        mount.name == self.volume.volume_name
            && clean(&mount.mount_path) == clean(&self.volume.mount_path)
            && mount.read_only == Some(true)
            && mount.sub_path.as_deref().is_none_or(str::is_empty)
    }

    fn too_long(&self, token: &ServiceAccountTokenProjection) -> Option<i64> {
        let max = self.case.settings.token_mounts.max_expiration_seconds?;
        let is_api = self.case.is_api(token.audience.as_deref(), &[]);
        (is_api && token.expiration_seconds.unwrap_or(DEFAULT_SECONDS) > max).then_some(max)
    }

    fn is_long(&self, volume: &Volume) -> bool {
        sources(volume)
            .filter_map(|source| source.service_account_token.as_ref())
            .any(|token| self.too_long(token).is_some())
    }

    /// Ways into the processes of a holder.
    fn processes(&self, outcome: &mut Outcome) {
        let case = self.case;
        let is_shared = case.pod.spec.as_ref().is_some_and(|spec| spec.share_process_namespace == Some(true));
        let is_component = matches!(case.who(), Who::Component(_));
        let holds = |place: &&Place<'_>| self.may_hold(place);
        if is_shared
            && is_component
            && self.all_holders().next().is_some()
            && !case.places.iter().all(|place| holds(&place))
        {
            outcome.find("token-mounts/shared-processes", "spec.shareProcessNamespace", self.action);
        }
        for place in case.places.iter().filter(|place| place.section == Section::Ephemeral) {
            let target = self.all_holders().any(|holder| place.target == Some(holder.name));
            if target || is_shared && self.all_holders().next().is_some() {
                let path =
                    format!("{}{}", place.path(), if place.target.is_some() { ".targetContainerName" } else { "" });
                outcome.find("token-mounts/holder-targeted", &path, self.action);
            }
        }
    }

    fn automount(&self, outcome: &mut Outcome) {
        let automount = self.case.pod.spec.as_ref().and_then(|spec| spec.automount_service_account_token);
        // A deviation: the contract has both told. Where it enforces, the policy tells of nothing that is mended already.
        let mends = ["token-mounts/injected-token", "token-mounts/holder-lacks-token"];
        let is_mended = |finding: &super::Finding| mends.iter().any(|id| finding.text.starts_with(id));
        if self.action == Action::Enforce && self.case.can_change() && outcome.findings.iter().any(is_mended) {
            return;
        }
        match automount {
            Some(true) => outcome.mend("token-mounts/automount-true", "spec.automountServiceAccountToken", self.action),
            None if self.case.settings.token_mounts.require_automount_false => {
                outcome.mend("token-mounts/automount-absent", "spec.automountServiceAccountToken", self.action);
            }
            _ => {}
        }
    }

    fn mend(&self, pod: &mut Pod) {
        let Some(spec) = &mut pod.spec else { return };
        let case = self.case;
        let (mut took, mut gave): (Vec<String>, bool) = (Vec::new(), false);
        for place in &case.places {
            let gets = self.is_to_get(place);
            let Some(container) = container_mut(spec, place) else { continue };
            if gets || !self.may_hold(place) {
                let mounts = container.volume_mounts.get_or_insert_default();
                let goes = |mount: &&VolumeMount| {
                    case.volume(&mount.name).is_some_and(|volume| is_injected_mount(mount, volume))
                };
                let lost: Vec<String> = mounts.iter().filter(goes).map(|mount| mount.name.clone()).collect();
                mounts.retain(|mount| !case.volume(&mount.name).is_some_and(|volume| is_injected_mount(mount, volume)));
                took.extend(lost);
                if gets && !mounts.iter().any(|mount| self.is_mount(mount)) {
                    mounts.push(VolumeMount {
                        name: self.volume.volume_name.clone(),
                        mount_path: self.volume.mount_path.clone(),
                        read_only: Some(true),
                        ..VolumeMount::default()
                    });
                }
                gave |= gets;
            }
        }
        let automount = spec.automount_service_account_token;
        let absent = automount.is_none() && case.settings.token_mounts.require_automount_false;
        if !took.is_empty() || gave || automount == Some(true) || absent {
            spec.automount_service_account_token = Some(false);
        }
        let mounted: Vec<String> = spec
            .containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
            .flat_map(|container| container.volume_mounts.iter().flatten())
            .map(|mount| mount.name.clone())
            .collect();
        let volumes = spec.volumes.get_or_insert_default();
        volumes.retain(|volume| !took.contains(&volume.name) || mounted.contains(&volume.name));
        if gave && !volumes.iter().any(|volume| volume.name == self.volume.volume_name) {
            volumes.push(made(self.volume));
        }
        let held: Vec<&String> =
            self.all_holders().flat_map(|place| self.bearing(place)).map(|(_, mount, _)| &mount.name).collect();
        for volume in volumes.iter_mut().filter(|volume| held.contains(&&volume.name)) {
            let sources = volume.projected.iter_mut().flat_map(|projected| projected.sources.iter_mut().flatten());
            for token in sources.filter_map(|source| source.service_account_token.as_mut()) {
                token.expiration_seconds = self.too_long(token).or(token.expiration_seconds);
            }
        }
    }
}
