//! Rule `credentials`: a pod names credentials in its annotations, and gets those that it may have.

use super::Rule;
use crate::annotation;
use crate::credentials::{Credential, GcpServiceAccountKey};
use crate::finding::{Finding, Place, Problem};
use crate::json::{Result, Text};
use crate::names::{is_dns_label, is_dns_subdomain};
use crate::plan::{Demands, Repair};
use crate::pod::{Metadata, Pod, Section};
use crate::settings::access::Claimant;
use crate::settings::pattern::any;
use crate::settings::{Entry, Settings, Uncatalogued};

/// What a pod was granted.
#[derive(Debug, Default)]
pub struct Grants {
    /// Credential names, and the names of the containers that they go into.
    pub granted: Vec<(String, Vec<String>)>,
    /// Whether a condition on the requester was counted as met.
    pub unchecked: bool,
}

/// What the rule demands of a pod.
///
/// # Errors
/// When the settings are not JSON.
pub fn demand<'a>(
    pod: &Pod<'a>,
    who: &Claimant<'_, '_>,
    settings: &Settings<'_>,
    demands: &mut Demands<'a>,
) -> Result<Grants> {
    let mut asked = Asked { pod, who, settings, demands, grants: Grants::default() };
    let names = asked.names();
    let targets = asked.targets(!names.is_empty());
    for (key, name) in names {
        asked.grant(key, name, &targets)?;
    }
    Ok(asked.grants)
}

/// Notes annotations of the policy's own that it did not write. The policy writes none today.
pub fn forged<'a>(pod: &Metadata<'a>, old: Option<&Metadata<'a>>) -> Vec<Finding<'a>> {
    let own = |metadata: &Metadata<'a>| -> Vec<(Text<'a>, Text<'a>)> {
        let all = metadata.annotations.iter();
        all.filter(|(key, _)| key.starts_with(annotation::OWN)).cloned().collect()
    };
    let (new, old) = (own(pod), old.map(own).unwrap_or_default());
    let missing = |of: &[(Text<'a>, Text<'a>)], from: &[(Text<'a>, Text<'a>)]| -> Vec<Text<'a>> {
        of.iter().filter(|entry| !from.contains(entry)).map(|(key, _)| key.clone()).collect()
    };
    let mut keys = missing(&new, &old);
    keys.extend(missing(&old, &new));
    keys.sort_unstable();
    keys.dedup();
    let finding =
        |key| Finding { rule: Rule::Credentials, place: Place::Annotation(key), problem: Problem::ForgedAnnotation };
    keys.into_iter().map(finding).collect()
}

struct Asked<'p, 'a, 's> {
    pod: &'p Pod<'a>,
    who: &'p Claimant<'p, 'p>,
    settings: &'p Settings<'s>,
    demands: &'p mut Demands<'a>,
    grants: Grants,
}

impl<'a> Asked<'_, 'a, '_> {
    fn find(&mut self, key: &'static str, problem: Problem<'a>) {
        let place = Place::Annotation(Text::Borrowed(key));
        self.demands.findings.push(Finding { rule: Rule::Credentials, place, problem });
    }

    /// The names that the annotations give, each with the annotation that gave it first.
    fn names(&mut self) -> Vec<(&'static str, Text<'a>)> {
        let mut names: Vec<(&'static str, Text<'a>)> = Vec::new();
        if let Some(value) = self.value(annotation::GOOGLE) {
            if value.is_empty() {
                self.find(annotation::GOOGLE, Problem::BadAnnotation("is empty: it names one credential"));
            } else {
                names.push((annotation::GOOGLE, value));
            }
        }
        for name in self.list(annotation::CREDENTIALS) {
            if !names.iter().any(|(_, known)| *known == name) {
                names.push((annotation::CREDENTIALS, name));
            }
        }
        names
    }

    fn value(&self, key: &str) -> Option<Text<'a>> {
        let found = self.pod.metadata().annotations.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone())
    }

    /// The items of an annotation that is a list.
    fn list(&mut self, key: &'static str) -> Vec<Text<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let mut items: Vec<Text<'a>> = Vec::new();
        for item in value.split(',').map(|item| item.trim_matches(' ')) {
            let problem = if value.trim_matches(' ').is_empty() {
                "is empty: it names one or more, separated by commas"
            } else if item.is_empty() {
                "has an empty item between its commas"
            } else if items.iter().any(|known| known == item) {
                "names the same twice"
            } else {
                items.push(Text::Owned(item.to_owned()));
                continue;
            };
            self.find(key, Problem::BadAnnotation(problem));
            break;
        }
        items
    }

    /// The containers to inject into, as indices.
    fn targets(&mut self, wanted: bool) -> Vec<usize> {
        let injection = &self.settings.injection;
        let is_target =
            |section: Section| section == Section::Normal || (section == Section::Init && injection.init_containers);
        let skipped = |name: &str| any(&injection.skip_containers, name);
        let all = |pod: &Pod<'a>| -> Vec<usize> {
            let containers = pod.containers.iter().enumerate();
            let meant = containers.filter(|(_, found)| is_target(found.section) && !skipped(&found.name));
            meant.map(|(index, _)| index).collect()
        };
        let named = self.list(annotation::CONTAINERS);
        let targets = if named.iter().any(|name| name == "*") {
            if named.len() > 1 {
                self.find(
                    annotation::CONTAINERS,
                    Problem::BadAnnotation("names `*`, which is all, and others besides"),
                );
            }
            all(self.pod)
        } else if !named.is_empty() {
            return named.into_iter().filter_map(|name| self.container(name)).collect();
        } else {
            let normal =
                |index: &usize| self.pod.containers.get(*index).is_some_and(|found| found.section == Section::Normal);
            let (normal, init): (Vec<usize>, Vec<usize>) = all(self.pod).into_iter().partition(normal);
            let base =
                normal.iter().find(|index| self.pod.containers.get(**index).is_some_and(|found| found.name == "base"));
            let one = base.or(normal.first()).copied();
            one.into_iter().chain(init).collect()
        };
        if targets.is_empty() && wanted && self.value(annotation::CONTAINERS).is_none_or(|value| value == "*") {
            self.find(annotation::CONTAINERS, Problem::NoContainer);
        }
        targets
    }

    /// A container by name; one that is skipped is meant when it is named.
    fn container(&mut self, name: Text<'a>) -> Option<usize> {
        let found = |section: Section| section != Section::Ephemeral;
        let mut containers = self.pod.containers.iter();
        let index = containers.position(|container| container.name == name && found(container.section));
        if index.is_none() {
            let has = self.pod.containers.iter().filter(|container| found(container.section));
            let has = has.map(|container| container.name.clone()).collect();
            let shown = Some(name).filter(|name| is_dns_label(name));
            self.find(annotation::CONTAINERS, Problem::UnknownContainer(shown, has));
        }
        index
    }

    /// Grants a credential or says why not.
    fn grant(&mut self, key: &'static str, name: Text<'a>, targets: &[usize]) -> Result<()> {
        let google = key == annotation::GOOGLE;
        let entry = if is_dns_label(&name) { self.settings.credentials.find(&name)? } else { None };
        match entry {
            Some(entry) if !google || entry.credential.is_google() => {
                let admitted = entry.allow.admits(self.who);
                if admitted.holds {
                    self.grants.unchecked |= admitted.unchecked;
                    self.inject(key, &name, entry.credential.as_ref(), targets);
                    return Ok(());
                }
            }
            None if google && self.takes_uncatalogued(&name)? => {
                self.inject(key, &name, &GcpServiceAccountKey::default(), targets);
                return Ok(());
            }
            _ => {}
        }
        let mut may = Vec::new();
        for entry in self.settings.credentials.entries()? {
            if (!google || entry.credential.is_google()) && entry.allow.admits(self.who).holds {
                may.push(Text::Owned(entry.name.into_owned()));
            }
        }
        let shown = Some(name).filter(|name| is_dns_label(name));
        self.find(key, Problem::NotAllowed(shown, may));
        Ok(())
    }

    /// Whether a name that the catalogue lacks is taken for the name of a Secret: never for one that the catalogue holds
    /// in this namespace, by which its `allow` would be got round.
    fn takes_uncatalogued(&self, name: &str) -> Result<bool> {
        let catalogue = &self.settings.credentials;
        let allowed = match self.settings.injection.uncatalogued {
            Some(uncatalogued) => uncatalogued == Uncatalogued::Allow,
            None => catalogue.is_empty(),
        };
        if !allowed || !is_dns_subdomain(name) {
            return Ok(false);
        }
        let protects = |entry: &Entry<'_>| {
            let here = entry.allow.namespaces.as_ref().is_some_and(|list| any(&list.0, self.who.namespace));
            here && entry.credential.secret(&entry.name) == Some(name)
        };
        Ok(!catalogue.entries()?.iter().any(protects))
    }

    fn inject(&mut self, key: &'static str, name: &str, credential: &dyn Credential, targets: &[usize]) {
        let called = |index: &usize| self.pod.containers.get(*index).map(|found| found.name.clone().into_owned());
        let containers: Vec<String> = targets.iter().filter_map(called).collect();
        let requirements = targets.iter().flat_map(|container| credential.require(name, *container)).collect();
        let problem = Problem::NotInjected(name.to_owned(), containers.clone());
        let finding = Finding { rule: Rule::Credentials, place: Place::Annotation(Text::Borrowed(key)), problem };
        self.demands.repairs.push(Repair { finding, origin: format!("credential `{name}`"), requirements });
        self.grants.granted.push((name.to_owned(), containers));
    }
}
