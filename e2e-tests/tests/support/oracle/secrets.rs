//! Rule `secret-access`: Secrets that are protected, and tokens for clouds that a pod projects itself.

use super::credentials::{GOOGLE, Grants};
use super::pattern::any;
use super::places::{Place, Section};
use super::settings::{Action, Allow, Credential};
use super::volumes::{secrets, sources};
use super::who::Who;
use super::{Case, Outcome};

pub fn judge(case: &Case<'_>, grants: &Grants, outcome: &mut Outcome) {
    let settings = case.settings;
    if settings.credentials.is_empty() && settings.secret_access.protected.is_empty() {
        return;
    }
    let action = case.action("secret-access", settings.secret_access.failure_action);
    if action == Action::Off {
        return;
    }
    // A deviation: what an ephemeral container reads is not for it because the pod was granted it. It is denied as
    // `credentials/credential-read` anyhow.
    let is_granted = |name: &str| !case.question.stored && grants.reads(name);
    let is_denied = |name: &str| case.is_protected(name) && !case.is_admitted(name) && !is_granted(name);
    let id = "secret-access/protected-secret";
    for (at, volume) in case.volumes().iter().enumerate() {
        if secrets(volume).into_iter().any(is_denied) {
            outcome.find(id, &format!("spec.volumes[{at}]"), action);
        }
    }
    for place in case.places.iter().filter(|place| place.section == Section::Ephemeral) {
        for (at, mount) in place.mounts.iter().enumerate() {
            if case.volume(&mount.name).into_iter().flat_map(secrets).any(is_denied) {
                outcome.find(id, &format!("{}.volumeMounts[{at}]", place.path()), action);
            }
        }
    }
    for place in &case.places {
        for (at, variable) in place.env.iter().enumerate() {
            let secret = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
            if secret.is_some_and(|secret| is_denied(&secret.name)) {
                outcome.find(id, &format!("{}.env[{at}]", place.path()), action);
            }
        }
        for (at, from) in place.env_from.iter().enumerate() {
            if from.secret_ref.as_ref().is_some_and(|secret| is_denied(&secret.name)) {
                outcome.find(id, &format!("{}.envFrom[{at}]", place.path()), action);
            }
        }
    }
    // A deviation: the contract does not count Google's annotation as a reference, the policy does where rule
    // `credentials` would not deny it.
    let own = case.action("credentials", settings.credential_injection.failure_action);
    if let Some(name) =
        case.annotations().get(GOOGLE).filter(|name| own < action && !settings.credentials.contains_key(*name))
        && is_denied(name)
    {
        outcome.find(id, &format!("metadata.annotations[{GOOGLE}]"), action);
    }
    let of_tokens = settings.secret_access.token_audiences.unwrap_or(Action::Audit).min(action);
    if matches!(case.who(), Who::Task) {
        for place in &case.places {
            own_tokens(case, grants, place, of_tokens, outcome);
        }
    }
}

fn own_tokens(case: &Case<'_>, grants: &Grants, place: &Place<'_>, action: Action, outcome: &mut Outcome) {
    let granted = grants.audiences(place);
    let used: Vec<String> =
        case.settings.credentials.values().filter_map(Credential::audience).map(str::to_owned).collect();
    for (at, mount) in place.mounts.iter().enumerate() {
        let tokens = case.volume(&mount.name).into_iter().flat_map(sources);
        let audiences = tokens.filter_map(|source| source.service_account_token.as_ref()?.audience.as_ref());
        if audiences.into_iter().any(|audience| used.contains(audience) && !granted.contains(audience)) {
            outcome.find("secret-access/own-token", &format!("{}.volumeMounts[{at}]", place.path()), action);
        }
    }
}

impl Case<'_> {
    /// Whether a Secret of the pod's namespace is protected: listed, or a credential's that is for this namespace, or for none.
    pub fn is_protected(&self, name: &str) -> bool {
        let namespace = self.question.namespace;
        let listed =
            |entry: &super::settings::Protected| any(&entry.secrets, name) && any(&entry.namespaces, namespace);
        self.settings.secret_access.protected.iter().any(listed)
            || self.guards(name).any(|allow| {
                let namespaces = allow.and_then(|allow| allow.namespaces.as_ref());
                namespaces.is_none_or(|patterns| any(patterns, namespace))
            })
    }

    /// The `allow` of each credential that reads the Secret.
    fn guards<'n>(&'n self, name: &'n str) -> impl Iterator<Item = Option<&'n Allow>> {
        let credentials = self.settings.credentials.iter();
        let read = credentials.filter(move |(known, credential)| credential.secret_name(known) == Some(name));
        read.map(|(_, credential)| credential.allow())
    }

    /// Whether one of the `allow` that guard the Secret admits the pod.
    fn is_admitted(&self, name: &str) -> bool {
        let namespace = self.question.namespace;
        let listed = self.settings.secret_access.protected.iter().filter(|entry| any(&entry.secrets, name));
        let mut listed = listed.filter(|entry| any(&entry.namespaces, namespace));
        listed.any(|entry| self.admits(entry.allow.as_ref())) || self.guards(name).any(|allow| self.admits(allow))
    }
}
