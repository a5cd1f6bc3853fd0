//! Why a verdict is what it is, for people: who the pod is, which setting decides each point, and which credentials it
//! may use. It asks the same code that judges.

use crate::annotation;
use crate::judge::read;
use crate::names::shown;
use crate::pod::{Outline, Pod};
use crate::request::{Object, Request};
use crate::rules::{Rule, token_mounts};
use crate::settings::access::Claimant;
use crate::settings::problems::list;
use crate::settings::{Action, DecidedBy, OtherPods, Settings, Uncatalogued};
use crate::standing::Standing;
use crate::who::Role;

/// Explains the verdict on a payload, a line a point. What no rule concerns is told so; what can't be read has no
/// explanation, since the verdict says why.
#[must_use]
pub fn explain(payload: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(payload) else { return Vec::new() };
    let Ok((mut request, settings)) = read(text) else { return Vec::new() };
    if !request.writes() {
        return vec![format!("{}: passes, no rule concerns it", request.operation)];
    }
    if !request.is_whole() {
        return vec![format!("subresource `{}`: passes, no rule concerns it", shown(&request.sub_resource))];
    }
    let Ok(object) = std::mem::replace(&mut request.object, Ok(None)) else { return Vec::new() };
    let Some(Object::Pod(outline)) = object else {
        return vec![format!("kind `{}`: no rule of this version concerns it", shown(&request.kind))];
    };
    request.requester.exempt = request.is_update() || outline.is_template();
    let standing = Standing::tell(&outline, &request, &settings);
    let judged = standing.actions.of(Rule::TokenMounts) != Action::Off;
    let mut lines = vec![creator(&request), standing.who.describe(&request.requester, judged)];
    lines.push(token_rule(&standing, &request, &settings));
    if !outline.is_template() {
        lines.push(credentials_rule(&standing, &outline, &request, &settings));
        lines.extend(credentials(&outline, &request, &settings));
    }
    lines.push(secret_rule(&standing, &request, &settings));
    for (name, rule) in &standing.excused {
        lines.push(format!("exception `{name}` excuses it from rule {}", rule.id()));
    }
    if let Ok(pod) = Pod::read(*outline) {
        lines.extend(containers(&pod, &standing, &settings));
    }
    lines
}

fn creator(request: &Request<'_>) -> String {
    let requester = &request.requester;
    if request.is_update() {
        String::from("an update: conditions on who created the pod count as met")
    } else if requester.is_missing() {
        String::from("the request names no user: conditions on who created the pod count as met")
    } else if requester.is_workload_controller() {
        format!("created by `{}`, one of kube-system's workload controllers", shown(&requester.username))
    } else {
        format!("created by `{}`", shown(&requester.username))
    }
}

fn decided(rule: Rule, section: &str, request: &Request<'_>, settings: &Settings<'_>) -> (Action, String) {
    let (action, by) = settings.action(rule, &request.namespace);
    let by = match by {
        DecidedBy::Section => format!("`{section}.failureAction`"),
        DecidedBy::Override(index) => format!("`failureActionOverrides[{index}]`"),
        DecidedBy::Global => String::from("`failureAction`"),
    };
    (action, by)
}

fn token_rule(standing: &Standing<'_, '_>, request: &Request<'_>, settings: &Settings<'_>) -> String {
    let (rule, by) = decided(Rule::TokenMounts, "tokenMounts", request, settings);
    let section = &settings.token_mounts;
    let action = standing.actions.of(Rule::TokenMounts);
    let excused = standing.excused.iter().any(|(_, rule)| *rule == Rule::TokenMounts);
    let why = match standing.who.role {
        _ if excused => String::from("excused"),
        Role::Task | Role::Airflow if action != rule => {
            format!("`tokenMounts.airflowPods: {}`, which is less than {by}", section.airflow_pods.word())
        }
        Role::Other if section.other_pods == OtherPods::Ignore => String::from("`tokenMounts.otherPods: Ignore`"),
        _ => by,
    };
    format!("rule token-mounts: {} ({why})", action.word())
}

fn secret_rule(standing: &Standing<'_, '_>, request: &Request<'_>, settings: &Settings<'_>) -> String {
    if settings.credentials.is_empty() && settings.secret_access.protected.is_empty() {
        return String::from("rule secret-access: Off (no Secret is protected)");
    }
    let (_, by) = decided(Rule::SecretAccess, "secretAccess", request, settings);
    let excused = standing.excused.iter().any(|(_, rule)| *rule == Rule::SecretAccess);
    let why = if excused { "excused" } else { &by };
    format!("rule secret-access: {} ({why})", standing.actions.of(Rule::SecretAccess).word())
}

fn credentials_rule(
    standing: &Standing<'_, '_>,
    pod: &Outline<'_>,
    request: &Request<'_>,
    settings: &Settings<'_>,
) -> String {
    let asks = annotation::WRITTEN_BY_AUTHORS.iter().any(|key| pod.metadata.annotation(key).is_some());
    if !asks {
        return format!("rule credentials: not concerned (none of {})", list(&annotation::WRITTEN_BY_AUTHORS));
    }
    let (_, by) = decided(Rule::Credentials, "credentialInjection", request, settings);
    let excused = standing.excused.iter().any(|(_, rule)| *rule == Rule::Credentials);
    let why = if excused { "excused" } else { &by };
    format!("rule credentials: {} ({why})", standing.actions.of(Rule::Credentials).word())
}

fn credentials(pod: &Outline<'_>, request: &Request<'_>, settings: &Settings<'_>) -> Vec<String> {
    let claimant = Claimant {
        namespace: &request.namespace,
        service_account: pod.service_account(),
        metadata: &pod.metadata,
        requester: &request.requester,
    };
    let Ok(may) = settings.credentials.admitting(&claimant, false, usize::MAX) else { return Vec::new() };
    let may = if may.is_empty() { String::from("none") } else { list(&may) };
    let account = shown(pod.service_account());
    let mut lines = vec![format!(
        "credentials that it may use (namespace `{}`, ServiceAccount `{account}`): {may}",
        shown(&request.namespace)
    )];
    let (uncatalogued, why) = match settings.injection.uncatalogued {
        Some(word) => (word, "`credentialInjection.uncatalogued`"),
        None if settings.credentials.is_empty() => (Uncatalogued::Allow, "the default while the catalogue is empty"),
        None => (Uncatalogued::Deny, "the default, since there is a catalogue"),
    };
    if pod.metadata.annotation(annotation::GOOGLE).is_some() {
        lines.push(format!(
            "Secrets named by `{}` outside of the catalogue: {} ({why})",
            annotation::GOOGLE,
            uncatalogued.word()
        ));
    }
    lines
}

fn containers(pod: &Pod<'_>, standing: &Standing<'_, '_>, settings: &Settings<'_>) -> Vec<String> {
    let tokens = token_mounts::held(pod, &settings.token_mounts);
    let mut lines = Vec::new();
    for (index, container) in pod.containers.iter().enumerate() {
        let held: Vec<&str> =
            tokens.iter().filter(|(holder, _)| *holder == index).map(|(_, volume)| shown(volume)).collect();
        let may = match standing.actions.of(Rule::TokenMounts) {
            Action::Off => "is not judged for API tokens",
            _ if standing.who.may_hold(container) => "may hold an API token",
            Action::Enforce => "may hold no API token",
            Action::Audit => "should hold no API token (only reported)",
        };
        let holds = if held.is_empty() {
            String::from("arrives with none")
        } else {
            format!("arrives with one in volume {}", list(&held))
        };
        lines.push(format!("{} `{}`: {may}, {holds}", container.section.noun(), shown(&container.name)));
    }
    lines
}
