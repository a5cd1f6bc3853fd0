//! Why a verdict is what it is, for people: who the pod is, which setting decides each point, and which credentials it
//! may use. It asks the same code that judges.

use crate::annotation;
use crate::judge::read;
use crate::names::shown;
use crate::pod::{Metadata, Outline, Pod};
use crate::request::{Object, Request};
use crate::rules::{Rule, rbac, token_mounts};
use crate::settings::access::Claimant;
use crate::settings::problems::list;
use crate::settings::{Action, ComponentAccess, DecidedBy, OtherPods, ServiceAccounts, Settings, Uncatalogued};
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
    let outline = match object {
        Some(Object::Pod(outline)) => outline,
        Some(Object::Account(account)) => return self::account(&account, &request, &settings),
        _ => return vec![format!("kind `{}`: passes, no rule concerns it", shown(&request.kind))],
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
    lines.extend(asked_for(&standing, &outline, &request, &settings));
    lines.extend(excused(&standing));
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

fn excused(standing: &Standing<'_, '_>) -> impl Iterator<Item = String> {
    standing.excused.iter().map(|(name, rule)| format!("exception `{name}` excuses it from rule {}", rule.id()))
}

/// The rules that are off unless they are asked for, where they concern the pod.
fn asked_for(
    standing: &Standing<'_, '_>,
    pod: &Outline<'_>,
    request: &Request<'_>,
    settings: &Settings<'_>,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |rule: Rule, section: &str, what: &str| {
        let action = standing.actions.of(rule);
        if action != Action::Off {
            let (_, by) = decided(rule, section, request, settings);
            lines.push(format!("rule {}: {} ({by}){what}", rule.id(), action.word()));
        }
    };
    say(Rule::NodeAccess, "nodeAccess", "");
    say(Rule::PodOperator, "podOperator", "");
    say(Rule::Rbac, "rbac", &rights(standing, pod, request, settings));
    if let (Some(section), Action::Enforce | Action::Audit) = (&settings.service_accounts, standing.actions.workloads())
    {
        let account = pod.service_account();
        let roles = roles(section, &request.namespace, account, &pod.metadata);
        let (action, account) = (standing.actions.workloads().word(), shown(account));
        if let Some(roles) = roles {
            lines.push(format!("rule service-accounts: {action} (`serviceAccounts.workloads`), ServiceAccount `{account}` should have {roles}"));
        }
    }
    lines
}

/// Whose rights are asked for.
fn rights(standing: &Standing<'_, '_>, pod: &Outline<'_>, request: &Request<'_>, settings: &Settings<'_>) -> String {
    let Some(section) = &settings.rbac else { return String::new() };
    let own =
        |entry: &&ComponentAccess<'_>| standing.who.components.iter().any(|component| component.name == entry.name);
    if standing.who.role == Role::Component && section.components.iter().any(|entry| own(&entry)) {
        format!(
            ", asks whether ServiceAccount `{}` has the access that its component needs",
            shown(pod.service_account())
        )
    } else if rbac::launcher(&standing.who, &request.requester, section).is_some() {
        format!(", asks whether `{}` may follow this task pod", shown(&request.requester.username))
    } else {
        String::from(", asks nothing: neither a listed component's pod nor a task pod made by a ServiceAccount")
    }
}

fn roles(section: &ServiceAccounts<'_>, namespace: &str, name: &str, labels: &Metadata<'_>) -> Option<String> {
    let roles: Vec<String> =
        section.roles_of(namespace, name, labels).map(|(key, value)| format!("`{key}={value}`")).collect();
    if roles.is_empty() { None } else { Some(roles.join(", ")) }
}

/// Explains the verdict on a ServiceAccount.
fn account(account: &Outline<'_>, request: &Request<'_>, settings: &Settings<'_>) -> Vec<String> {
    let Some(section) = &settings.service_accounts else {
        return vec![String::from("rule service-accounts: Off (`serviceAccounts` is absent)")];
    };
    let standing = Standing::tell(account, request, settings);
    let action = standing.actions.of(Rule::ServiceAccounts);
    let (_, by) = decided(Rule::ServiceAccounts, "serviceAccounts", request, settings);
    let by = if standing.excused.is_empty() { by } else { String::from("excused") };
    let repair = if section.repair { "mended" } else { "reported, not mended (`serviceAccounts.repair: false`)" };
    let mut lines = vec![format!("rule service-accounts: {} ({by}), differences are {repair}", action.word())];
    let found = account.automount().map_or("absent, which means true", |value| if value { "true" } else { "false" });
    lines.push(match section.automount.0 {
        None => String::from("automountServiceAccountToken: left alone"),
        Some(_) if !section.matches.concerns(&account.metadata) => {
            String::from("automountServiceAccountToken: left alone, `serviceAccounts.match` does not match")
        }
        Some(wanted) => format!("automountServiceAccountToken: should be {wanted}, is {found}"),
    });
    let roles = roles(section, &request.namespace, &account.metadata.name, &account.metadata);
    lines.push(format!("roles that it should have: {}", roles.as_deref().unwrap_or("none")));
    let guarded = if section.guards(&request.namespace) { "" } else { ", but no role is given out in this namespace" };
    lines.push(format!("identities that nobody granted: {}{guarded}", section.identity_annotations.word()));
    lines.extend(excused(&standing));
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
