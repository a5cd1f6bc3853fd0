//! Rule `credentials`: a pod names credentials in its annotations, and gets those that it may have.

use super::Rule;
use crate::annotation;
use crate::cluster::{Found, Lookups};
use crate::credentials::{Credential, GOOGLE_DIRECTORY, GcpServiceAccountKey, SecretPart, is_injected};
use crate::finding::{Finding, Names, Place, Problem};
use crate::json::{Result, Text};
use crate::names::{is_dns_label, is_dns_subdomain, is_within, real_path, shown, shown_label};
use crate::plan::{Demands, Repair};
use crate::pod::{Container, EnvValue, Metadata, Pod, Section, Source, Volume};
use crate::requirement::Requirement;
use crate::settings::access::Claimant;
use crate::settings::pattern::any;
use crate::settings::{Entry, Settings, Uncatalogued};
use crate::sorted::Sorted;

/// What a message calls a credential.
#[must_use]
pub fn origin(name: &str) -> String {
    format!("credential `{}`", shown_label(name))
}

/// What a pod was granted.
#[derive(Debug, Default)]
pub struct Grants {
    /// The credentials.
    pub granted: Vec<Grant>,
    /// Whether a condition on the requester was counted as met.
    pub unchecked: bool,
}

/// A credential that a pod was granted.
#[derive(Debug)]
pub struct Grant {
    /// Its name.
    pub name: String,
    /// The containers that it goes into, by index.
    pub containers: Vec<usize>,
    /// The audience of its token.
    pub audience: Option<String>,
    /// The Secret that it reads.
    pub secret: Option<String>,
}

impl Grants {
    /// Whether a token for this audience was granted at all: its volume is the credential's.
    #[must_use]
    pub fn uses_audience(&self, audience: &str) -> bool {
        self.granted.iter().any(|grant| grant.audience.as_deref() == Some(audience))
    }

    /// Whether a container was granted a token for this audience.
    #[must_use]
    pub fn has_audience(&self, container: usize, audience: &str) -> bool {
        let mut granted = self.granted.iter();
        granted.any(|grant| grant.audience.as_deref() == Some(audience) && grant.containers.contains(&container))
    }
}

/// How many names of credentials a message can hold.
const MAY: usize = 21;
/// Where GKE reads which Google service account a ServiceAccount acts as.
pub const GKE_ANNOTATION: &str = "iam.gke.io/gcp-service-account";

/// The most names that an annotation may list.
const NAMES: usize = 64;
/// The most injections that a pod may ask for, credentials times containers.
const INJECTIONS: usize = 4096;

/// What the rule demands of a pod.
///
/// # Errors
/// When the settings are not JSON. Without `lookups` nothing is looked up.
pub fn demand<'a>(
    pod: &Pod<'a>,
    who: &Claimant<'_, '_>,
    settings: &Settings<'_>,
    lookups: Option<&mut Lookups<'_>>,
    demands: &mut Demands<'a>,
) -> Result<Grants> {
    let mut asked = Asked { pod, who, settings, lookups, demands, grants: Grants::default(), may: [None, None] };
    let names = asked.names()?;
    let targets = asked.targets(!names.is_empty())?;
    if names.len() * targets.len() > INJECTIONS {
        asked.bad(annotation::CONTAINERS, "asks for more than 4096 injections, credentials times containers")?;
        asked.ephemeral();
        return Ok(asked.grants);
    }
    let wanted: Vec<&str> = names.iter().map(|(_, name)| name.as_ref()).filter(|name| is_dns_label(name)).collect();
    let entries = settings.credentials.find(&wanted)?;
    for (key, name) in names {
        let entry = entries.iter().find(|entry| entry.name == name);
        asked.grant(key, name, entry, &targets)?;
    }
    asked.ephemeral();
    Ok(asked.grants)
}

/// Annotations of the policy's own that it did not write: on CREATE others than the `wanted` ones, on UPDATE those that
/// are not as they are stored.
#[must_use]
pub fn forged<'a>(pod: &[Pair<'a>], old: Option<&[Pair<'a>]>, wanted: &[(String, String)]) -> Vec<Finding<'a>> {
    let finding = |(key, _): &Pair<'a>| Finding {
        rule: Rule::Credentials,
        place: Place::Annotation(key.clone()),
        problem: Problem::ForgedAnnotation,
    };
    let Some(old) = old else {
        let is_wanted = |(key, value): &&Pair<'a>| wanted.iter().any(|(name, text)| name == key && text == value);
        return pod.iter().filter(|pair| !is_wanted(pair)).map(finding).collect();
    };
    if pod.is_empty() && old.is_empty() {
        return Vec::new();
    }
    let missing = |of: &[Pair<'a>], from: &[Pair<'a>], other_value: bool| -> Vec<Finding<'a>> {
        let known = Sorted::by(from, |(key, _)| key);
        let differs = |(key, value): &&Pair<'a>| {
            let found = known.find(from, |(key, _)| key, key).and_then(|index| from.get(index));
            found.is_none_or(|(_, found)| other_value && found != value)
        };
        of.iter().filter(differs).map(finding).collect()
    };
    let mut forged = missing(pod, old, true);
    forged.append(&mut missing(old, pod, false));
    forged
}

/// A key and a value.
pub type Pair<'a> = (Text<'a>, Text<'a>);

/// The annotations of the policy's own.
#[must_use]
pub fn own<'a>(metadata: &Metadata<'a>) -> Vec<Pair<'a>> {
    metadata.annotations.iter().filter(|(key, _)| key.starts_with(annotation::OWN)).cloned().collect()
}

/// What stands where Google's libraries look for a credential of the policy's, and is text of somebody else's: an
/// `external_account` of one's own sends a task's token wherever it says.
///
/// `asks`: the pod asks for credentials, and what lies above that place counts too.
pub fn foreign<'a>(pod: &Pod<'a>, asks: bool, demands: &mut Demands<'a>) {
    let text = |volume: &&Volume<'a>| {
        volume.plain_text
            || volume.projected.iter().flat_map(|projected| &projected.sources).any(|source| match source {
                // Who forges the annotation of that name is told so.
                Source::Downward(Some((field, _))) => {
                    let own = format!("metadata.annotations['{}{}']", annotation::FAMILY, volume.name);
                    field.starts_with("metadata.annotations") && *field != own
                }
                Source::Downward(None) => true,
                Source::ConfigMap { name, .. } => name != "kube-root-ca.crt",
                _ => false,
            })
    };
    let volumes: Vec<&Volume<'a>> = pod.volumes.iter().filter(text).collect();
    if volumes.is_empty() {
        return;
    }
    let root = GOOGLE_DIRECTORY.trim_end_matches('/');
    let under = |path: &str| {
        let path = real_path(path);
        is_within(&path, root) || asks && is_within(root, &path)
    };
    for (container, found) in pod.containers.iter().enumerate() {
        for (index, mount) in found.mounts.items.iter().enumerate() {
            if volumes.iter().any(|volume| volume.name == mount.volume) && under(&mount.path) {
                let place = Place::Mount(container, index);
                let problem = Problem::ForeignAccount(mount.volume.clone());
                demands.findings.push(Finding { rule: Rule::Credentials, place, problem });
            }
        }
    }
}

/// The credentials that a pod may name.
///
/// # Errors
/// When the settings are not JSON.
pub fn may_use(who: &Claimant<'_, '_>, google: bool, settings: &Settings<'_>) -> Result<Names> {
    let may = settings.credentials.admitting(who, google, MAY)?;
    Ok(Names::new(may.into_iter().map(str::to_owned).collect()))
}

struct Asked<'p, 'a, 's, 'c> {
    pod: &'p Pod<'a>,
    who: &'p Claimant<'p, 'p>,
    settings: &'p Settings<'s>,
    lookups: Option<&'p mut Lookups<'c>>,
    demands: &'p mut Demands<'a>,
    grants: Grants,
    /// The credentials that the pod may use, once asked for: all, and Google's.
    may: [Option<Names>; 2],
}

impl<'a> Asked<'_, 'a, '_, '_> {
    fn find(&mut self, key: &'static str, problem: Problem<'a>) {
        let place = Place::Annotation(Text::Borrowed(key));
        self.demands.findings.push(Finding { rule: Rule::Credentials, place, problem });
    }

    fn bad(&mut self, key: &'static str, why: &'static str) -> Result<()> {
        let may = if key == annotation::CONTAINERS { None } else { Some(self.may_use(key)?) };
        self.find(key, Problem::BadAnnotation(why, may));
        Ok(())
    }

    /// The credentials that the pod may name in an annotation.
    fn may_use(&mut self, key: &str) -> Result<Names> {
        let google = key == annotation::GOOGLE;
        let [all, googles] = &mut self.may;
        let known = if google { googles } else { all };
        if let Some(names) = known {
            return Ok(names.clone());
        }
        let names = may_use(self.who, google, self.settings)?;
        *known = Some(names.clone());
        Ok(names)
    }

    /// The names that the annotations give, each with its annotation: what one may name the other may not.
    fn names(&mut self) -> Result<Vec<(&'static str, Text<'a>)>> {
        let mut names: Vec<(&'static str, Text<'a>)> = Vec::new();
        if let Some(value) = self.value(annotation::GOOGLE) {
            if value.is_empty() {
                self.bad(annotation::GOOGLE, "is empty: it names one credential")?;
            } else {
                names.push((annotation::GOOGLE, value));
            }
        }
        let listed = self.list(annotation::CREDENTIALS)?.unwrap_or_default();
        names.extend(listed.into_iter().map(|name| (annotation::CREDENTIALS, name)));
        Ok(names)
    }

    fn value(&self, key: &str) -> Option<Text<'a>> {
        let found = self.pod.metadata().annotations.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone())
    }

    /// The items of an annotation that is a list; `None` when it is not there, none at all when it is malformed.
    fn list(&mut self, key: &'static str) -> Result<Option<Vec<Text<'a>>>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let mut items: Vec<Text<'a>> = Vec::new();
        for item in value.split(',').map(|item| item.trim_matches(' ')) {
            let problem = if value.trim_matches(' ').is_empty() {
                "is empty: it lists names, separated by commas"
            } else if item.is_empty() {
                "has an empty item between its commas"
            } else if items.iter().any(|known| known == item) {
                "names the same twice"
            } else if items.len() == NAMES {
                "names more than 64"
            } else {
                items.push(Text::Owned(item.to_owned()));
                continue;
            };
            self.bad(key, problem)?;
            return Ok(Some(Vec::new()));
        }
        Ok(Some(items))
    }

    /// The containers to inject into, as indices. None where the annotation that names them is wrong.
    fn targets(&mut self, wanted: bool) -> Result<Vec<usize>> {
        let targets = match self.list(annotation::CONTAINERS)? {
            None => {
                let is_normal = |index: &usize| {
                    self.pod.containers.get(*index).is_some_and(|found| found.section == Section::Normal)
                };
                let (normal, init): (Vec<usize>, Vec<usize>) = self.unskipped().into_iter().partition(is_normal);
                let is_base = |index: &&usize| self.pod.container_name(**index).is_some_and(|name| name == "base");
                let one = normal.iter().find(is_base).or(normal.first()).copied();
                one.into_iter().chain(init).collect()
            }
            Some(named) if named.iter().any(|name| name == "*") => {
                if named.len() > 1 {
                    self.bad(annotation::CONTAINERS, "names `*`, which is all, and others besides")?;
                    return Ok(Vec::new());
                }
                self.unskipped()
            }
            Some(named) => return Ok(named.into_iter().filter_map(|name| self.container(name)).collect()),
        };
        if targets.is_empty() && wanted {
            let place = Place::Spec("containers");
            self.demands.findings.push(Finding { rule: Rule::Credentials, place, problem: Problem::NoContainer });
        }
        Ok(targets)
    }

    /// The containers that no pattern skips, as indices.
    fn unskipped(&self) -> Vec<usize> {
        let injection = &self.settings.injection;
        let meant = |container: &Container<'a>| match container.section {
            Section::Normal => !any(&injection.skip_containers, &container.name),
            Section::Init => injection.init_containers && !any(&injection.skip_containers, &container.name),
            Section::Ephemeral => false,
        };
        let containers = self.pod.containers.iter().enumerate();
        containers.filter(|(_, container)| meant(container)).map(|(index, _)| index).collect()
    }

    /// A container by name; one that is skipped is meant when it is named.
    fn container(&mut self, name: Text<'a>) -> Option<usize> {
        let mut containers = self.pod.containers.iter();
        let is_it = |container: &Container<'a>| container.name == name && container.section != Section::Ephemeral;
        let index = containers.position(is_it);
        if index.is_none() {
            self.find(annotation::CONTAINERS, Problem::UnknownContainer(name));
        }
        index
    }

    /// Grants a credential or says why not.
    fn grant(&mut self, key: &'static str, name: Text<'a>, entry: Option<&Entry<'_>>, targets: &[usize]) -> Result<()> {
        let google = key == annotation::GOOGLE;
        // Both annotations may name a credential of the catalogue: it is granted once.
        if entry.is_some() && self.grants.granted.iter().any(|grant| grant.name == *name) {
            return Ok(());
        }
        match entry {
            Some(entry) if !google || entry.kind.google => {
                let admitted = entry.allow.admits(self.who);
                if admitted.holds {
                    self.grants.unchecked |= admitted.unchecked;
                    self.inject(key, &name, entry.credential.as_ref(), targets);
                    self.look_up(key, &name, entry.credential.as_ref());
                    return Ok(());
                }
            }
            None if google && self.takes_uncatalogued() => {
                if !is_dns_subdomain(&name) {
                    return self
                        .bad(key, "names neither a credential nor a Secret (lower-case letters, digits, `-` and `.`)");
                }
                if !self.is_protected(&name)? {
                    self.inject(key, &name, &GcpServiceAccountKey::default(), targets);
                    self.look_up(key, &name, &GcpServiceAccountKey::default());
                    return Ok(());
                }
            }
            _ => {}
        }
        let may = self.may_use(key)?;
        self.find(key, Problem::NotAllowed(name, may));
        Ok(())
    }

    /// Whether a name that the catalogue lacks is taken for the name of a Secret.
    fn takes_uncatalogued(&self) -> bool {
        match self.settings.injection.uncatalogued {
            Some(uncatalogued) => uncatalogued == Uncatalogued::Allow,
            None => self.settings.credentials.is_empty(),
        }
    }

    /// Whether a Secret is protected here, so that naming it would get round somebody's `allow`, or known to hold an API
    /// token.
    fn is_protected(&self, secret: &str) -> Result<bool> {
        Ok(any(&self.settings.token_mounts.token_secrets, secret)
            || super::secret_access::protects(secret, self.who.namespace, self.settings)?)
    }

    /// Looks for what the credential needs in the cluster: its Secret, or the ServiceAccount's annotation.
    fn look_up(&mut self, key: &'static str, name: &str, credential: &dyn Credential) {
        let Some(lookups) = self.lookups.as_deref_mut() else { return };
        let namespace = self.who.namespace;
        let problem = match (credential.secret(name), credential.gke_email()) {
            (Some(secret), _) if self.settings.injection.verify_secrets => {
                if lookups.secret(namespace, secret) != Found::Missing {
                    return;
                }
                let line = create_secret(namespace, secret, credential);
                Problem::SecretMissing { credential: name.to_owned(), secret: secret.to_owned(), line }
            }
            (_, Some(email)) => {
                let account = self.who.service_account.to_owned();
                let (there, acts_as) = match lookups.service_account(namespace, &account) {
                    Found::Unknown => return,
                    Found::Missing => (false, None),
                    Found::Here(annotations) => {
                        let mut annotations = annotations.into_iter();
                        (true, annotations.find(|(key, _)| key == GKE_ANNOTATION).map(|(_, value)| value))
                    }
                };
                if acts_as.as_deref() == Some(email) {
                    return;
                }
                Problem::AccountLacksRole {
                    account,
                    namespace: namespace.to_owned(),
                    annotation: GKE_ANNOTATION.to_owned(),
                    value: email.to_owned(),
                    there,
                }
            }
            _ => return,
        };
        self.find(key, problem);
    }

    /// Ephemeral containers are granted nothing: neither an injected volume nor the processes that hold one. What was
    /// injected is told by what it is made of: the annotations may have been removed since, or the credential revoked.
    fn ephemeral(&mut self) {
        let ephemeral = |container: &Container<'a>| container.section == Section::Ephemeral;
        if !self.pod.containers.iter().any(ephemeral) {
            return;
        }
        let volumes: Vec<&Text<'a>> =
            self.pod.volumes.iter().filter(|volume| is_injected(volume)).map(|volume| &volume.name).collect();
        let injected = Sorted::by(&volumes, |name| *name);
        let mounts = |container: &Container<'a>| {
            container
                .mounts
                .items
                .iter()
                .position(|mount| injected.find(&volumes, |name| *name, &mount.volume).is_some())
        };
        // What was granted as env variables leaves no volume: the annotations tell it.
        let granted = |index: usize| self.grants.granted.iter().any(|grant| grant.containers.contains(&index));
        let holds = |(index, container): &(usize, &Container<'a>)| {
            !ephemeral(container) && (granted(*index) || mounts(container).is_some())
        };
        let holders = self.pod.containers.iter().enumerate().filter(holds);
        let holders: Vec<&Text<'a>> = holders.map(|(_, container)| &container.name).collect();
        let by_name = Sorted::by(&holders, |name| *name);
        let shared = self.pod.outline.spec.share_process_namespace == Some(true);
        let mut findings = Vec::new();
        for (index, container) in self.pod.containers.iter().enumerate().filter(|(_, container)| ephemeral(container)) {
            if let Some((position, mount)) =
                mounts(container).and_then(|at| Some((at, container.mounts.items.get(at)?)))
            {
                findings.push((Place::Mount(index, position), Problem::CredentialMounted(mount.volume.clone())));
            }
            let secrets =
                |name: &Text<'a>| self.grants.granted.iter().any(|grant| grant.secret.as_deref() == Some(name));
            for (at, env) in container.env.items.iter().enumerate() {
                if let EnvValue::Secret { name, .. } = &env.value
                    && secrets(name)
                {
                    findings.push((Place::Env(index, at), Problem::CredentialRead(name.clone())));
                }
            }
            for (at, name) in container.env_from.iter().enumerate() {
                if let Some(name) = name.as_ref().filter(|name| secrets(name)) {
                    findings.push((Place::EnvFrom(index, at), Problem::CredentialRead(name.clone())));
                }
            }
            let target = container.target.as_ref();
            let entered = target.and_then(|name| by_name.find(&holders, |name| *name, name)).or(shared.then_some(0));
            if let Some(holder) = entered.and_then(|entered| holders.get(entered)) {
                let place = if target.is_some() { Place::Target(index) } else { Place::Container(index) };
                findings.push((place, Problem::GrantedTargeted((*holder).clone())));
            }
        }
        let finding = |(place, problem)| Finding { rule: Rule::Credentials, place, problem };
        self.demands.findings.extend(findings.into_iter().map(finding));
    }

    fn inject(&mut self, key: &'static str, name: &str, credential: &dyn Credential, targets: &[usize]) {
        let called = |index: &usize| self.pod.container_name(*index).map(|name| name.clone().into_owned());
        let containers: Vec<String> = targets.iter().filter_map(called).collect();
        let requirements: Vec<Requirement> =
            targets.iter().flat_map(|container| credential.require(name, *container)).collect();
        let problem = Problem::NotInjected(name.to_owned(), containers);
        let finding = Finding { rule: Rule::Credentials, place: Place::Annotation(Text::Borrowed(key)), problem };
        self.demands.repairs.push(Repair { finding, origin: origin(name), requirements });
        let audience = credential.audience().map(str::to_owned);
        let secret = credential.secret(name).map(str::to_owned);
        let grant = Grant { name: name.to_owned(), containers: targets.to_vec(), audience, secret };
        self.grants.granted.push(grant);
    }
}

/// The command that makes a Secret as the credential reads it.
fn create_secret(namespace: &str, secret: &str, credential: &dyn Credential) -> String {
    let mut line = format!("kubectl create secret generic {secret} --namespace {}", shown(namespace));
    let parts = credential.secret_parts();
    let key = |part: &SecretPart<'_>| match *part {
        SecretPart::File(key) | SecretPart::Text(key) => key.to_owned(),
        SecretPart::All => String::new(),
    };
    for (index, part) in parts.iter().enumerate() {
        if parts.iter().take(index).any(|other| key(other) == key(part)) {
            continue;
        }
        line.push_str(&match part {
            SecretPart::File(key) => format!(" --from-file={key}=FILE"),
            SecretPart::Text(key) => format!(" --from-literal={key}=VALUE"),
            SecretPart::All => String::from(" --from-file=DIRECTORY"),
        });
    }
    line
}
