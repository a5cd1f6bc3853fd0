//! Who a pod is, and which rules judge it how.

use super::pattern::{any, any_account};
use super::settings::{Action, AirflowPods, Allow, Component, ExceptionMatch, OtherPods};
use super::{Case, places::Section};

/// Usernames of the controllers of kube-system that make workloads' pods.
const CONTROLLERS: [&str; 7] = [
    "system:serviceaccount:kube-system:replicaset-controller",
    "system:serviceaccount:kube-system:statefulset-controller",
    "system:serviceaccount:kube-system:daemon-set-controller",
    "system:serviceaccount:kube-system:job-controller",
    "system:serviceaccount:kube-system:cronjob-controller",
    "system:serviceaccount:kube-system:replication-controller",
    "system:kube-controller-manager",
];

/// Who a pod is.
#[derive(Debug, Clone, Copy)]
pub enum Who<'w> {
    Component(&'w Component),
    Task,
    Airflow,
    Other,
}

impl<'c> Case<'c> {
    pub fn who(&self) -> Who<'c> {
        let settings = self.settings;
        let labels = self.labels();
        let is_labelled =
            ["kubernetes_executor", "kubernetes_pod_operator"].iter().any(|key| labels.contains_key(*key));
        if is_labelled || !self.question.stored && self.question.user.is_some_and(|user| self.is_launcher(user)) {
            return Who::Task;
        }
        let is_component = |entry: &&Component| {
            let by = |user: &str| CONTROLLERS.contains(&user) || any(&entry.requesters, user);
            let accounts = entry.matches.service_accounts.as_deref();
            entry.matches.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
                && accounts.is_none_or(|patterns| any_account(patterns, self.question.namespace, self.account()))
                && (self.question.stored || self.question.user.is_none_or(by))
        };
        if let Some(entry) = settings.token_mounts.components.iter().find(is_component) {
            return Who::Component(entry);
        }
        let is_launchers = any_account(&settings.airflow.launchers, self.question.namespace, self.account());
        if labels.get("tier").is_some_and(|tier| tier == "airflow") || is_launchers { Who::Airflow } else { Who::Other }
    }

    fn is_launcher(&self, user: &str) -> bool {
        let account = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
        account.is_some_and(|(namespace, name)| any_account(&self.settings.airflow.launchers, namespace, name))
    }

    /// The name of the pod's ServiceAccount.
    pub fn account(&self) -> &'c str {
        let spec = self.pod.spec.as_ref();
        let names = [
            spec.and_then(|spec| spec.service_account_name.as_deref()),
            spec.and_then(|spec| spec.service_account.as_deref()),
        ];
        names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("default")
    }

    /// Whether a container may hold an API token.
    pub fn may_hold(&self, section: Section, name: &str) -> bool {
        let Who::Component(entry) = self.who() else { return false };
        match section {
            Section::Normal => entry.containers.iter().any(|known| known == name),
            Section::Init => entry.init_containers.iter().any(|known| known == name),
            Section::Ephemeral => false,
        }
    }

    /// A rule's action for this object, before what is special to the rule.
    pub fn action(&self, rule: &str, own: Option<Action>) -> Action {
        let settings = self.settings;
        let is_excused = settings
            .exceptions
            .iter()
            .any(|exception| exception.rules.iter().any(|named| named == rule) && self.is_excepted(&exception.matches));
        if is_excused || own == Some(Action::Off) {
            return Action::Off;
        }
        let is_reporting = rule == "node-access";
        let overriding = settings.failure_action_overrides.iter().find(|entry| {
            let names_rule =
                entry.rules.as_ref().map_or(!is_reporting, |rules| rules.iter().any(|named| named == rule));
            names_rule && any(&entry.namespaces, self.question.namespace)
        });
        let global = if is_reporting { Action::Audit } else { settings.failure_action.unwrap_or(Action::Enforce) };
        overriding.map(|entry| entry.action).or(own).unwrap_or(global)
    }

    /// The action of rule `token-mounts`.
    pub fn token_action(&self) -> Action {
        let mounts = &self.settings.token_mounts;
        let action = self.action("token-mounts", mounts.failure_action);
        match (self.who(), mounts.airflow_pods, mounts.other_pods) {
            (Who::Component(_), ..) | (Who::Task | Who::Airflow, AirflowPods::Enforce, _) => action,
            (Who::Task | Who::Airflow, AirflowPods::Audit, _) => action.min(Action::Audit),
            (Who::Task | Who::Airflow, AirflowPods::Ignore, _) | (Who::Other, _, OtherPods::Ignore) => Action::Off,
            (Who::Other, _, OtherPods::NoToken) => action,
        }
    }

    fn is_excepted(&self, wanted: &ExceptionMatch) -> bool {
        let metadata = &self.pod.metadata;
        let given = |name: &'c Option<String>| name.as_deref().filter(|name| !name.is_empty());
        let name = given(&self.pod.metadata.generate_name).or(given(&self.pod.metadata.name)).unwrap_or_default();
        let labels = metadata.labels.clone().unwrap_or_default();
        any(&wanted.namespaces, self.question.namespace)
            && wanted
                .service_accounts
                .as_ref()
                .is_none_or(|patterns| any_account(patterns, self.question.namespace, self.account()))
            && wanted.names.as_ref().is_none_or(|patterns| any(patterns, name))
            && wanted.labels.iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
            && wanted.requesters.as_ref().is_none_or(|patterns| self.is_requester(patterns))
    }

    /// Whether the requester is one of these: usernames, or groups with `group:`. Nobody counts as everybody.
    fn is_requester(&self, patterns: &[String]) -> bool {
        let Some(user) = self.question.user else { return true };
        let mut users = patterns.iter().filter(|pattern| !pattern.starts_with("group:")).cloned();
        let groups: Vec<String> =
            patterns.iter().filter_map(|pattern| pattern.strip_prefix("group:")).map(str::to_owned).collect();
        users.any(|pattern| any(&[pattern], user)) || self.question.groups.iter().any(|group| any(&groups, group))
    }

    /// Whether an `allow` granted the pod a credential. Of a stored pod nobody knows who made it: it counts as the right one.
    pub fn grants_to(&self, allow: Option<&Allow>) -> bool {
        let stored = |allow: &Allow| Allow { requesters: None, ..allow.clone() };
        match allow.filter(|_| self.question.stored) {
            Some(allow) => self.admits(Some(&stored(allow))),
            None => self.admits(allow),
        }
    }

    /// Whether an `allow` admits the pod; without one nobody may.
    pub fn admits(&self, allow: Option<&Allow>) -> bool {
        let Some(allow) = allow else { return false };
        let labels = self.labels();
        let dag = labels.get("dag_id");
        allow.namespaces.as_ref().is_some_and(|patterns| any(patterns, self.question.namespace))
            && allow
                .service_accounts
                .as_ref()
                .is_none_or(|patterns| any_account(patterns, self.question.namespace, self.account()))
            && allow.requesters.as_ref().is_none_or(|patterns| self.is_requester(patterns))
            && allow
                .dag_ids
                .as_ref()
                .filter(|ids| !ids.is_empty())
                .is_none_or(|patterns| dag.is_some_and(|dag| any(patterns, dag)))
    }
}
