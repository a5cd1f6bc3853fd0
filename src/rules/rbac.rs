//! Rule `rbac`: would the pod, or the launcher that follows it, meet a 403? The API server is asked before the pod starts,
//! and not our reading of its Roles: its answer decides.

use super::Rule;
use crate::cluster::{Lookups, Right};
use crate::finding::{Finding, Place, Problem};
use crate::plan::Demands;
use crate::pod::Pod;
use crate::request::Requester;
use crate::settings::pattern::service_account;
use crate::settings::{Access, NamedAccess, Rbac};
use crate::who::{Role, Who};

/// Verbs of one resource: group, resource, subresource.
type Verbs<'v> = (&'v str, &'v str, &'v str, &'v [&'v str]);

/// Creates a pod first of all, then follows it, and reads the result of a task out of its sidecar at last.
const POD_LAUNCHER: &[Verbs<'_>] = &[
    ("", "pods", "", &["create", "get", "list", "watch", "patch", "delete"]),
    ("", "pods", "log", &["get"]),
    ("", "events", "", &["list"]),
    ("", "pods", "exec", &["create", "get"]),
];
const LOG_READER: &[Verbs<'_>] = &[("", "pods", "", &["get", "list"]), ("", "pods", "log", &["get"])];
const CLEANUP: &[Verbs<'_>] = &[("", "pods", "", &["list", "delete"])];
const JOB_LAUNCHER: &[Verbs<'_>] = &[("batch", "jobs", "", &["create", "get", "list", "watch", "patch", "delete"])];
/// The sidecar of `do_xcom_push`.
const XCOM_SIDECAR: &str = "airflow-xcom-sidecar";

/// What the rule demands of a pod that is created in `namespace`.
pub fn demand<'a>(
    pod: &Pod<'a>,
    namespace: &str,
    who: &Who<'_, '_>,
    requester: &Requester<'_>,
    settings: &Rbac<'_>,
    lookups: &mut Lookups<'_>,
    demands: &mut Demands<'a>,
) {
    let mut asked = Asked { lookups, demands };
    if who.role == Role::Component {
        let account = (namespace, pod.outline.service_account());
        for component in &who.components {
            let entries = settings.components.iter().filter(|entry| entry.name == component.name);
            for entry in entries {
                let own = [namespace];
                let listed: Vec<&str> = entry.namespaces.iter().map(|name| name.0.as_ref()).collect();
                for place in if listed.is_empty() { &own[..] } else { &listed[..] } {
                    for access in &entry.access {
                        asked.access(account, place, access, component.title());
                    }
                }
            }
        }
    }
    if let Some(account) = launcher(who, requester, settings) {
        let xcom = pod.containers.iter().any(|container| container.name == XCOM_SIDECAR);
        for &(group, resource, subresource, verbs) in POD_LAUNCHER {
            if subresource == "exec" && !xcom {
                continue;
            }
            // The pod is being created: that right is there.
            let created = subresource.is_empty() && verbs.first() == Some(&"create");
            let follow = verbs.get(usize::from(created)..).unwrap_or_default();
            asked.verbs(account, namespace, &(group, resource, subresource, follow), None);
        }
    }
}

/// The ServiceAccount, namespace and name, that made a task pod and is to follow it.
pub fn launcher<'r>(
    who: &Who<'_, '_>,
    requester: &'r Requester<'_>,
    settings: &Rbac<'_>,
) -> Option<(&'r str, &'r str)> {
    service_account(&requester.username).filter(|_| {
        settings.launchers && who.role == Role::Task && requester.is_judged() && !requester.is_workload_controller()
    })
}

struct Asked<'r, 'a, 'c> {
    lookups: &'r mut Lookups<'c>,
    demands: &'r mut Demands<'a>,
}

impl Asked<'_, '_, '_> {
    fn access(&mut self, account: (&str, &str), namespace: &str, access: &Access<'_>, component: &str) {
        let named = match access {
            Access::Named(NamedAccess::PodLauncher) => POD_LAUNCHER,
            Access::Named(NamedAccess::LogReader) => LOG_READER,
            Access::Named(NamedAccess::Cleanup) => CLEANUP,
            Access::Named(NamedAccess::JobLauncher) => JOB_LAUNCHER,
            Access::Rule(rule) => {
                let verbs: Vec<&str> = rule.verbs.iter().map(AsRef::as_ref).collect();
                let verbs = (rule.group.as_ref(), rule.resource.as_ref(), rule.subresource.as_ref(), verbs.as_slice());
                return self.verbs(account, namespace, &verbs, Some(component));
            }
        };
        for verbs in named {
            self.verbs(account, namespace, verbs, Some(component));
        }
    }

    /// Asks for the verbs of one resource; those that are lacking are one finding.
    fn verbs(&mut self, account: (&str, &str), namespace: &str, wanted: &Verbs<'_>, component: Option<&str>) {
        let (group, resource, subresource, verbs) = *wanted;
        let mut lacking = Vec::new();
        for verb in verbs {
            let right = Right { group, resource, subresource, verb };
            if self.lookups.can_i(account, namespace, right) == Some(false) {
                lacking.push((*verb).to_owned());
            }
        }
        if lacking.is_empty() {
            return;
        }
        let slash = if subresource.is_empty() { "" } else { "/" };
        let problem = Problem::LacksAccess(Box::new(Lacking {
            account: account.1.to_owned(),
            home: account.0.to_owned(),
            namespace: namespace.to_owned(),
            group: group.to_owned(),
            resource: format!("{resource}{slash}{subresource}"),
            verbs: lacking,
            component: component.map(str::to_owned),
        }));
        let place =
            if component.is_some() { Place::Spec("serviceAccountName") } else { Place::Field("request.userInfo") };
        let finding = Finding { rule: Rule::Rbac, place, problem };
        // Two entries that want the same lack the same.
        if !self.demands.findings.contains(&finding) {
            self.demands.findings.push(finding);
        }
    }
}

/// Rights that a ServiceAccount lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The ServiceAccount.
    pub account: String,
    /// Its namespace.
    pub home: String,
    /// The namespace that the rights are lacking in.
    pub namespace: String,
    /// The API group.
    pub group: String,
    /// The resource, with its subresource.
    pub resource: String,
    /// The verbs.
    pub verbs: Vec<String>,
    /// The component whose pod it is; `None`: the launcher's right to follow a task pod.
    pub component: Option<String>,
}

impl Lacking {
    /// The rule to add to a Role, as a line of YAML: the lacking rights and no other.
    #[must_use]
    pub fn rule(&self) -> String {
        let group = if self.group.is_empty() { "\"\"" } else { &self.group };
        format!("{{apiGroups: [{group}], resources: [{}], verbs: [{}]}}", self.resource, self.verbs.join(", "))
    }
}
