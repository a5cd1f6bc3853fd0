//! Rule `service-accounts`: a ServiceAccount says whether the API server mounts its token into pods, and what it says is
//! what the operator wants; it has the cloud roles that were given to it, and no others; and a pod's ServiceAccount is
//! there and has them.

use super::Rule;
use crate::cluster::{Found, Lookups};
use crate::finding::{Finding, Place, Problem};
use crate::json::Text;
use crate::plan::{Demands, Repair};
use crate::pod::Outline;
use crate::requirement::Requirement;
use crate::settings::{AZURE_LABEL, Action, IdentityAnnotation, ServiceAccounts};

/// What messages call it.
const ORIGIN: &str = "`serviceAccounts`";

/// What the rule demands of a ServiceAccount.
pub fn demand<'a>(account: &Outline<'a>, namespace: &str, settings: &ServiceAccounts<'_>, demands: &mut Demands<'a>) {
    automount(account, settings, demands);
    let metadata = &account.metadata;
    let roles: Vec<(&str, &str)> = settings.roles_of(namespace, &metadata.name, metadata).collect();
    for (annotation, value) in &roles {
        let found = metadata.annotation(annotation);
        let mut needs = vec![Requirement::Annotation { key: (*annotation).to_owned(), value: (*value).to_owned() }];
        let (with, label, yes) = AZURE_LABEL;
        let labelled = *annotation != with || metadata.label(label) == Some(yes);
        if *annotation == with {
            needs.push(Requirement::Label { key: label.to_owned(), value: yes.to_owned() });
        }
        if found != Some(*value) {
            let problem = Problem::RoleLacking((*annotation).to_owned(), (*value).to_owned(), found.is_some());
            judge(settings, Place::Annotation(Text::Owned((*annotation).to_owned())), problem, needs, demands);
        } else if !labelled {
            judge(settings, Place::Labels, Problem::LabelLacking(label, yes), needs, demands);
        }
    }
    if settings.identity_annotations == Action::Off || !settings.guards(namespace) {
        return;
    }
    for (key, value) in &metadata.annotations {
        let identity = IdentityAnnotation::of(key).is_some_and(|known| known.grants);
        if identity && !roles.iter().any(|(annotation, _)| annotation == key) {
            let problem = Problem::UngrantedIdentity(key.clone(), value.clone());
            demands.findings.push(Finding {
                rule: Rule::ServiceAccounts,
                place: Place::Annotation(key.clone()),
                problem,
            });
        }
    }
}

fn automount<'a>(account: &Outline<'a>, settings: &ServiceAccounts<'_>, demands: &mut Demands<'a>) {
    let Some(wanted) = settings.automount.0.filter(|_| settings.matches.concerns(&account.metadata)) else { return };
    // The API server mounts the token where nothing is said.
    if account.automount().unwrap_or(true) == wanted {
        return;
    }
    let place = Place::Field("automountServiceAccountToken");
    let problem = Problem::AccountAutomount(account.automount(), wanted);
    judge(settings, place, problem, vec![Requirement::Automount(wanted)], demands);
}

/// Mends it where that is asked for.
fn judge<'a>(
    settings: &ServiceAccounts<'_>,
    place: Place<'a>,
    problem: Problem<'a>,
    requirements: Vec<Requirement>,
    demands: &mut Demands<'a>,
) {
    let finding = Finding { rule: Rule::ServiceAccounts, place, problem };
    if settings.repair {
        demands.repairs.push(Repair { finding, origin: ORIGIN.to_owned(), requirements });
    } else {
        demands.findings.push(finding);
    }
}

/// Looks whether a pod's ServiceAccount is there and has its component's roles.
pub fn workload<'a>(
    pod: &Outline<'a>,
    namespace: &str,
    settings: &ServiceAccounts<'_>,
    lookups: &mut Lookups<'_>,
    demands: &mut Demands<'a>,
) {
    let name = pod.service_account();
    let roles: Vec<(&str, &str)> = settings.roles_of(namespace, name, &pod.metadata).collect();
    if roles.is_empty() {
        return;
    }
    let found = match lookups.service_account(namespace, name) {
        Found::Unknown => return,
        Found::Missing => None,
        Found::Here(annotations) => Some(annotations),
    };
    let mut find = |annotation: &str, value: &str, there| {
        let problem = Problem::AccountLacksRole {
            account: name.to_owned(),
            namespace: namespace.to_owned(),
            annotation: annotation.to_owned(),
            value: value.to_owned(),
            there,
        };
        demands.findings.push(Finding {
            rule: Rule::ServiceAccounts,
            place: Place::Spec("serviceAccountName"),
            problem,
        });
    };
    match (found, roles.first()) {
        (None, Some((annotation, value))) => find(annotation, value, false),
        (Some(annotations), _) => {
            for (annotation, value) in roles {
                if !annotations.iter().any(|(key, found)| key == annotation && found == value) {
                    find(annotation, value, true);
                }
            }
        }
        (None, None) => {}
    }
}
