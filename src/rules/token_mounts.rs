//! Rule `token-mounts`: a Kubernetes API token is held by the containers that a component lists, and by no other.
//!
//! A volume is judged by what it is made of, never by its name or where it is mounted. The mounts that the API server
//! injected are taken away, together with `automountServiceAccountToken: false`: without that the API server would put
//! them back when the webhook has answered. What somebody declared is denied: taking it away would break what he meant.

use super::Rule;
use super::credentials::Grants;
use crate::finding::{Bearer, Finding, Place, Problem};
use crate::json::Text;
use crate::names::clean_path;
use crate::plan::{Demands, Repair};
use crate::pod::{Container, EnvValue, Mount, Pod, Section, Source, Volume};
use crate::requirement::{Requirement, VolumeSource, api_access};
use crate::settings::TokenMounts;
use crate::settings::pattern::any;
use crate::settings::token_mounts::DEFAULT_TOKEN_PATH;
use crate::sorted::{Sorted, order};
use crate::who::{Role, Who};

/// What messages call the volume of `serviceAccountTokenVolume`.
const ORIGIN: &str = "`tokenMounts.serviceAccountTokenVolume`";
/// What the API server calls the volumes that it injects, followed by five random letters.
const INJECTED_PREFIX: &str = "kube-api-access-";

/// What the rule demands of a pod that it judges.
pub fn demand<'a>(
    pod: &Pod<'a>,
    who: &Who<'_, '_>,
    settings: &TokenMounts<'_>,
    grants: &Grants,
    demands: &mut Demands<'a>,
) {
    if !pod.outline.spec.present {
        return;
    }
    let volumes: Vec<Judged<'_, 'a>> = pod.volumes.iter().map(|volume| Judged::new(volume, settings)).collect();
    let by_name = Sorted::by(&pod.volumes, |volume| &volume.name);
    let holders = pod.containers.iter().filter(|container| who.may_hold(container));
    let holders: Vec<Text<'a>> = holders.map(|container| container.name.clone()).collect();
    let holder_order = Sorted::by(&holders, |name| name);
    let mut rule = Judge { pod, who, settings, grants, volumes, by_name, holders, holder_order, demands };
    for (index, container) in pod.containers.iter().enumerate() {
        if who.may_hold(container) {
            rule.holder(index, container);
        } else {
            rule.other(index, container);
        }
    }
    rule.unused_volumes();
    rule.literals();
    rule.pod();
}

/// The mounts that give a container an API credential: the container and the volume's name.
#[must_use]
pub fn held<'p>(pod: &'p Pod<'_>, settings: &TokenMounts<'_>) -> Vec<(usize, &'p str)> {
    let mut held = Vec::new();
    for (index, container) in pod.containers.iter().enumerate() {
        for mount in &container.mounts.items {
            let volume = pod.volume(&mount.volume).filter(|(_, volume)| bearer(volume, settings, &|_| false).is_some());
            held.extend(volume.map(|(_, volume)| (index, volume.name.as_ref())));
        }
    }
    held
}

/// A volume and what it gives to those who mount it.
struct Judged<'p, 'a> {
    volume: &'p Volume<'a>,
    bearer: Option<Bearer<'a>>,
    injected: bool,
}

impl<'p, 'a> Judged<'p, 'a> {
    fn new(volume: &'p Volume<'a>, settings: &TokenMounts<'_>) -> Self {
        let bearer = bearer(volume, settings, &|_| false);
        let injected = bearer.is_some()
            && volume.name.starts_with(INJECTED_PREFIX)
            && !volume.more
            && volume.secret.is_none()
            && volume.projected.as_ref().and_then(api_access).is_some_and(|(audience, _)| audience.is_empty());
        Self { volume, bearer, injected }
    }
}

/// What makes a volume an API credential, if it is one.
fn bearer<'a>(volume: &Volume<'a>, settings: &TokenMounts<'_>, granted: &dyn Fn(&str) -> bool) -> Option<Bearer<'a>> {
    let known = |name: &Text<'a>| any(&settings.token_secrets, name).then(|| Bearer::Secret(name.clone()));
    let projected = volume.projected.iter().flat_map(|projected| &projected.sources).find_map(|source| match source {
        Source::Token { audience, .. } if audience.is_empty() => Some(Bearer::Token),
        Source::Token { audience, .. } if settings.is_api(audience) => Some(Bearer::ApiAudience(audience.clone())),
        Source::Token { audience, .. } => {
            let other = settings.is_other_service(audience) || granted(audience) && !settings.is_api(audience);
            (!other).then(|| Bearer::Audience(audience.clone()))
        }
        Source::Certificate => Some(Bearer::Certificate),
        Source::Secret(secret) => known(&secret.name),
        Source::ConfigMap { .. } | Source::Downward(_) | Source::Other => None,
    });
    projected
        .or_else(|| volume.secret.as_ref().and_then(|secret| known(&secret.name)))
        .or_else(|| volume.driver_secret.as_ref().and_then(known))
}

struct Judge<'p, 'a> {
    pod: &'p Pod<'a>,
    who: &'p Who<'p, 'p>,
    settings: &'p TokenMounts<'p>,
    /// What the pod was granted: tokens for other services are allowed where they belong.
    grants: &'p Grants,
    volumes: Vec<Judged<'p, 'a>>,
    /// The volumes by name; of two with one name the first.
    by_name: Sorted,
    /// The names of the containers that may hold a token.
    holders: Vec<Text<'a>>,
    holder_order: Sorted,
    demands: &'p mut Demands<'a>,
}

impl<'p, 'a> Judge<'p, 'a> {
    fn find(&mut self, place: Place<'a>, problem: Problem<'a>) {
        self.demands.findings.push(Finding { rule: Rule::TokenMounts, place, problem });
    }

    fn repair(&mut self, place: Place<'a>, problem: Problem<'a>, requirements: Vec<Requirement>) {
        let finding = Finding { rule: Rule::TokenMounts, place, problem };
        self.demands.repairs.push(Repair { finding, origin: ORIGIN.to_owned(), requirements });
    }

    /// The volume that a mount names.
    fn mounted(&self, mount: &Mount<'a>) -> Option<(usize, &Judged<'p, 'a>)> {
        let index = self.by_name.find(&self.pod.volumes, |volume| &volume.name, &mount.volume)?;
        self.volumes.get(index).map(|judged| (index, judged))
    }

    /// What makes a volume an API credential in a container, which may have been granted a token for another service.
    fn bearer_in(&self, container: usize, judged: &Judged<'p, 'a>) -> Option<Bearer<'a>> {
        match &judged.bearer {
            Some(Bearer::Audience(audience)) if self.grants.has_audience(container, audience) => {
                bearer(judged.volume, self.settings, &|audience| self.grants.has_audience(container, audience))
            }
            known => known.clone(),
        }
    }

    /// The mount is the API server's work: its volume, where it mounts it, whole.
    fn is_injected(&self, mount: &Mount<'a>) -> bool {
        !mount.sub_path
            && clean_path(&mount.path) == DEFAULT_TOKEN_PATH
            && self.mounted(mount).is_some_and(|(_, judged)| judged.injected)
    }

    /// A container that may hold no token.
    fn other(&mut self, index: usize, container: &Container<'a>) {
        for (position, mount) in container.mounts.items.iter().enumerate() {
            let Some(bearer) = self.mounted(mount).and_then(|(_, judged)| self.bearer_in(index, judged)) else {
                continue;
            };
            let place = Place::Mount(index, position);
            if container.section != Section::Ephemeral && self.is_injected(mount) {
                let gone = Requirement::NoMount { container: index, mount: position };
                let needs = vec![gone, Requirement::Automount(false)];
                self.repair(place, Problem::InjectedToken(mount.volume.clone()), needs);
            } else {
                self.find(place, Problem::DeclaredToken(mount.volume.clone(), bearer));
            }
        }
        for (position, env) in container.env.items.iter().enumerate() {
            if let EnvValue::Secret { name, .. } = &env.value {
                self.token_secret(Place::Env(index, position), name);
            }
        }
        for (position, secret) in container.env_from.iter().enumerate() {
            if let Some(name) = secret {
                self.token_secret(Place::EnvFrom(index, position), name);
            }
        }
        if container.section == Section::Ephemeral {
            self.ephemeral(index, container);
        }
    }

    /// An ephemeral container that enters a holder's processes reads its files.
    fn ephemeral(&mut self, index: usize, container: &Container<'a>) {
        let shared = self.pod.outline.spec.share_process_namespace == Some(true);
        let target = container.target.as_ref();
        let entered = target.and_then(|target| self.holder_order.find(&self.holders, |name| name, target));
        if let Some(holder) = entered.or(shared.then_some(0)).and_then(|index| self.holders.get(index)).cloned() {
            let place = if container.target.is_some() { Place::Target(index) } else { Place::Container(index) };
            self.find(place, Problem::HolderTargeted(holder));
        }
    }

    fn token_secret(&mut self, place: Place<'a>, secret: &Text<'a>) {
        if any(&self.settings.token_secrets, secret) {
            self.find(place, Problem::TokenEnv(secret.clone()));
        }
    }

    /// A container that may hold a token: it keeps its own, or the injected one, or gets the configured volume.
    fn holder(&mut self, index: usize, container: &Container<'a>) {
        let tokens = |injected: bool| -> Vec<usize> {
            let mounts = container.mounts.items.iter().enumerate();
            mounts
                .filter(|(_, mount)| {
                    let projected = self.mounted(mount).is_some_and(|(_, judged)| {
                        matches!(
                            self.bearer_in(index, judged),
                            Some(Bearer::Token | Bearer::ApiAudience(_) | Bearer::Audience(_) | Bearer::Certificate)
                        )
                    });
                    projected && self.is_injected(mount) == injected
                })
                .map(|(position, _)| position)
                .collect()
        };
        let (own, injected) = (tokens(false), tokens(true));
        let replaced = self.settings.volume.enabled && own.is_empty();
        if replaced {
            self.give_volume(index, &injected);
        }
        if let Some(max) = self.settings.max_expiration {
            let kept = if replaced { own } else { [own, injected].concat() };
            let mounts = kept.iter().filter_map(|position| container.mounts.items.get(*position));
            let volumes: Vec<usize> =
                mounts.filter_map(|mount| self.mounted(mount)).map(|(volume, _)| volume).collect();
            let order = order(volumes.len(), &|one, other| volumes.get(one).cmp(&volumes.get(other)));
            let mut before = None;
            for volume in order.iter().filter_map(|at| volumes.get(*at)) {
                // A volume that is mounted twice is limited once.
                if before.replace(*volume) != Some(*volume) {
                    self.limit(index, *volume, max.0);
                }
            }
        }
    }

    fn give_volume(&mut self, container: usize, injected: &[usize]) {
        let wanted = &self.settings.volume;
        let source = VolumeSource::ApiAccess {
            audience: wanted.audience.as_ref().map(|audience| audience.0.clone().into_owned()),
            expiration: wanted.expiration.0,
        };
        let mut needs: Vec<Requirement> =
            injected.iter().map(|mount| Requirement::NoMount { container, mount: *mount }).collect();
        needs.push(Requirement::volume(&wanted.name.0, source));
        needs.push(Requirement::mount(container, &wanted.name.0, &wanted.mount_path.0));
        needs.push(Requirement::Automount(false));
        let name = wanted.name.0.clone().into_owned();
        self.repair(Place::Container(container), Problem::HolderLacksToken(name), needs);
    }

    fn limit(&mut self, container: usize, volume: usize, max: i64) {
        let Some(judged) = self.volumes.get(volume) else { return };
        let name = judged.volume.name.clone();
        let sources = judged.volume.projected.iter().flat_map(|projected| &projected.sources).enumerate();
        let long: Vec<(usize, i64)> = sources
            .filter_map(|(index, source)| match source {
                Source::Token { audience, expiration, .. }
                    if !self.settings.is_other_service(audience) && !self.grants.uses_audience(audience) =>
                {
                    let seconds = expiration.as_ref().map_or(3600, |(seconds, _)| *seconds);
                    (seconds > max).then_some((index, seconds))
                }
                _ => None,
            })
            .collect();
        for (source, seconds) in long {
            let problem = Problem::LongToken(name.clone(), seconds, max);
            let needs = vec![Requirement::Expiration { volume, source, seconds: max }];
            self.repair(Place::Container(container), problem, needs);
        }
    }

    /// An injected volume goes when all who mount it lose it: together with the last of the mounts.
    fn unused_volumes(&mut self) {
        let containers = self.pod.containers.iter();
        let mut stripped_by: Vec<Vec<Option<usize>>> =
            containers.map(|container| vec![None; container.mounts.items.len()]).collect();
        for (index, repair) in self.demands.repairs.iter().enumerate() {
            for requirement in &repair.requirements {
                if let Requirement::NoMount { container, mount } = requirement {
                    let entry = stripped_by.get_mut(*container).and_then(|mounts| mounts.get_mut(*mount));
                    entry.into_iter().for_each(|entry| *entry = Some(index));
                }
            }
        }
        // The repair that takes the last of a volume's mounts away; `Some(None)` where one stays.
        let mut goes: Vec<Option<Option<usize>>> = vec![None; self.volumes.len()];
        for (found, stripped_by) in self.pod.containers.iter().zip(&stripped_by) {
            for (mount, stripped_by) in found.mounts.items.iter().zip(stripped_by) {
                let Some((volume, _)) = self.mounted(mount).filter(|(_, judged)| judged.injected) else { continue };
                if let Some(entry) = goes.get_mut(volume) {
                    let so_far = entry.unwrap_or(*stripped_by);
                    *entry = Some(so_far.and_then(|before| stripped_by.map(|now| before.max(now))));
                }
            }
        }
        for (volume, repair) in goes.into_iter().enumerate() {
            if let Some(repair) = repair.flatten().and_then(|index| self.demands.repairs.get_mut(index)) {
                // Before what the volume's going makes room for.
                repair.requirements.insert(0, Requirement::NoVolume { volume });
            }
        }
    }

    /// Tokens written out: whoever may read pods can read them.
    fn literals(&mut self) {
        for (container, found) in self.pod.containers.iter().enumerate() {
            for (index, env) in found.env.items.iter().enumerate().filter(|(_, env)| env.holds_token()) {
                self.find(Place::Env(container, index), Problem::LiteralToken(env.name.clone()));
            }
        }
        for key in &self.pod.metadata().tokens {
            self.find(Place::Annotation(key.clone()), Problem::LiteralToken(key.clone()));
        }
    }

    /// What the pod says for all of its containers.
    fn pod(&mut self) {
        let place = || Place::Spec("automountServiceAccountToken");
        match self.pod.outline.automount() {
            Some(true) => self.repair(place(), Problem::AutomountTrue, vec![Requirement::Automount(false)]),
            None if self.settings.require_automount_false => {
                self.repair(place(), Problem::AutomountAbsent, vec![Requirement::Automount(false)]);
            }
            _ => {}
        }
        if self.pod.outline.spec.share_process_namespace != Some(true)
            || self.who.role != Role::Component
            || self.pod.containers.iter().all(|container| self.who.may_hold(container))
        {
            return;
        }
        let holder = self.pod.containers.iter().find(|container| self.who.may_hold(container));
        if let Some(name) = holder.map(|container| container.name.clone()) {
            self.find(Place::Spec("shareProcessNamespace"), Problem::SharedProcesses(name));
        }
    }
}
