//! Who a pod is: a component of Airflow, a task pod, another Airflow pod, or none of Airflow's.

use crate::json::Text;
use crate::names::shown;
use crate::pod::{Container, Metadata, Outline, Section};
use crate::request::Requester;
use crate::settings::pattern::service_account;
use crate::settings::{Component, Settings};

/// What a pod is judged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A pod of a component that may hold an API token.
    Component,
    /// A pod that runs a task: labelled so by Airflow, or created by a launcher.
    Task,
    /// Another pod of Airflow's.
    Airflow,
    /// None of Airflow's.
    Other,
}

/// Who a pod is, and why.
#[derive(Debug)]
pub struct Who<'s, 'a> {
    /// What it is judged as.
    pub role: Role,
    /// The entries of `tokenMounts.components` that it belongs to.
    pub components: Vec<&'s Component<'a>>,
    /// The entries that it matches without belonging to them.
    pub claims: Vec<&'s Component<'a>>,
    /// It is a template that claims to be a component's, and a launcher writes it.
    pub spoofed: bool,
    /// It is a template, of which pods are made later.
    template: bool,
    /// The evidence for the role.
    why: Why,
    /// Whether who created it would have mattered and is not known.
    pub unchecked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    ExecutorLabel,
    OperatorLabel,
    CreatedByLauncher,
    TierLabel,
    LauncherAccount,
    Nothing,
}

/// KubernetesExecutor's mark of a task pod.
pub const EXECUTOR_LABEL: &str = "kubernetes_executor";
/// KubernetesPodOperator's and KubernetesJobOperator's mark of a task pod.
pub const OPERATOR_LABEL: &str = "kubernetes_pod_operator";

impl<'s, 'a> Who<'s, 'a> {
    /// Tells who a pod is.
    #[must_use]
    pub fn tell(pod: &Outline<'_>, namespace: &str, requester: &Requester<'_>, settings: &'s Settings<'a>) -> Self {
        let is_launcher = |namespace: &str, name: &str| {
            settings.airflow.launchers.iter().any(|pattern| pattern.matches(namespace, name))
        };
        let template = pod.is_template();
        // Whoever writes a template decides what its pods are, on every write.
        let by_launcher = (requester.is_judged() || template && !requester.is_missing())
            && service_account(&requester.username).is_some_and(|(namespace, name)| is_launcher(namespace, name));
        let task = if pod.metadata.label(EXECUTOR_LABEL).is_some() {
            Some(Why::ExecutorLabel)
        } else if pod.metadata.label(OPERATOR_LABEL).is_some() {
            Some(Why::OperatorLabel)
        } else if by_launcher {
            Some(Why::CreatedByLauncher)
        } else {
            None
        };
        let mut who = Self { template, ..Self::nobody() };
        for component in &settings.token_mounts.components {
            if !claims(component, &pod.metadata, namespace, pod.service_account()) {
                continue;
            }
            let made_it = |component: &Component<'_>| {
                requester.is_workload_controller()
                    || component.requesters.iter().any(|pattern| requester.matches(&pattern.0))
            };
            if task.is_none() && (!requester.is_judged() || made_it(component)) {
                who.unchecked |= requester.is_missing() && (template || !requester.exempt);
                who.components.push(component);
            } else {
                who.claims.push(component);
                who.spoofed |= template && by_launcher;
            }
        }
        (who.role, who.why) = if let Some(why) = task {
            (Role::Task, why)
        } else if !who.components.is_empty() {
            (Role::Component, Why::Nothing)
        } else if pod.metadata.label("tier") == Some("airflow") {
            (Role::Airflow, Why::TierLabel)
        } else if is_launcher(namespace, pod.service_account()) {
            (Role::Airflow, Why::LauncherAccount)
        } else {
            (Role::Other, Why::Nothing)
        };
        who
    }

    /// Who an object is that is no pod.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            role: Role::Other,
            components: Vec::new(),
            claims: Vec::new(),
            spoofed: false,
            template: false,
            why: Why::Nothing,
            unchecked: false,
        }
    }

    /// Whether a container may hold an API token.
    #[must_use]
    pub fn may_hold(&self, container: &Container<'_>) -> bool {
        self.components.iter().any(|component| {
            let names = match container.section {
                Section::Normal => &component.containers,
                Section::Init => &component.init_containers,
                Section::Ephemeral => return false,
            };
            names.iter().any(|name| name.0 == container.name)
        })
    }

    /// One sentence on who the pod is and, where that is judged, who of it may hold a token.
    #[must_use]
    pub fn describe(&self, requester: &Requester<'_>, judged: bool) -> String {
        let text = self.tell_pod(requester, judged);
        match text.strip_prefix("the pod is ") {
            Some(rest) if self.template => format!("the template's pods count as {rest}"),
            _ => text,
        }
    }

    fn tell_pod(&self, requester: &Requester<'_>, judged: bool) -> String {
        let mut text = match (self.role, self.why) {
            (Role::Component, _) => {
                let entries: Vec<String> = self.components.iter().map(|entry| holders(entry)).collect();
                return format!("the pod is {}", entries.join(" and "));
            }
            (_, Why::ExecutorLabel) => format!("the pod is a task pod (label `{EXECUTOR_LABEL}`)"),
            (_, Why::OperatorLabel) => format!("the pod is a task pod (label `{OPERATOR_LABEL}`)"),
            (_, Why::CreatedByLauncher) => {
                format!(
                    "the pod is a task pod (`airflow.launchers` names `{}`, which creates it)",
                    shown(&requester.username)
                )
            }
            (_, Why::TierLabel) => String::from("the pod is one of Airflow's (label `tier: airflow`)"),
            (_, Why::LauncherAccount) => {
                String::from("the pod is one of Airflow's (`airflow.launchers` names its ServiceAccount)")
            }
            (_, Why::Nothing) => String::from("the pod is none of Airflow's"),
        };
        if judged {
            text.push_str(": none of its containers may hold a Kubernetes API token");
        }
        if let Some(claim) = self.claims.first() {
            text.push_str("; it ");
            text.push_str(&self.denied_claim(claim, requester));
        }
        text
    }

    /// Why an entry that the pod matches does not make it a component.
    #[must_use]
    pub fn denied_claim(&self, claim: &Component<'_>, requester: &Requester<'_>) -> String {
        let because = match self.role {
            Role::Task => String::from("it is a task pod"),
            _ => format!(
                "neither a workload controller of kube-system nor one of the entry's `requesters` creates it, but `{}`",
                shown(&requester.username)
            ),
        };
        format!("claims to be component `{}` and is not: {because}", shown(claim.title()))
    }
}

fn claims(component: &Component<'_>, metadata: &Metadata<'_>, namespace: &str, account: &str) -> bool {
    let matches = &component.matches;
    matches.labels.0.iter().all(|(key, value)| metadata.label(key) == Some(value.as_ref()))
        && matches
            .service_accounts
            .as_ref()
            .is_none_or(|list| list.0.iter().any(|pattern| pattern.matches(namespace, account)))
}

fn holders(component: &Component<'_>) -> String {
    let names = |list: Vec<&Text<'_>>| {
        let quoted: Vec<String> = list.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    let normal = names(component.containers.iter().map(|name| &name.0).collect());
    let init = names(component.init_containers.iter().map(|name| &name.0).collect());
    let who = match (normal.is_empty(), init.is_empty()) {
        (_, true) => format!("of its containers only {normal}"),
        (true, false) => format!("of its init containers only {init}"),
        (false, false) => format!("only its containers {normal} and init containers {init}"),
    };
    format!(
        "component `{}`: {who} may hold a Kubernetes API token, from a projected volume where automounting is off",
        shown(component.title())
    )
}
