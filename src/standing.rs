//! How a pod stands with the rules: who it is, which of them run for it, and what they demand.

use crate::annotation;
use crate::json::{Result, Text};
use crate::names::shown;
use crate::plan::{Demands, Plan};
use crate::pod::{Outline, Pod};
use crate::request::Request;
use crate::rules::credentials::Grants;
use crate::rules::{Rule, credentials, token_mounts};
use crate::settings::access::Claimant;
use crate::settings::{Action, AirflowPods, OtherPods, Settings};
use crate::who::{Role, Who};

/// How a pod stands with the rules: what its outline alone tells.
#[derive(Debug)]
pub struct Standing<'s, 'd> {
    /// Who it is.
    pub who: Who<'s, 'd>,
    /// How the rules are run for it.
    pub actions: Actions,
    /// The exceptions that excuse it: name and rule.
    pub excused: Vec<(String, Rule)>,
    /// Conditions on the requester that were counted as met, as reports call them.
    pub unchecked: Vec<&'static str>,
}

/// The actions of the rules for one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actions {
    credentials: Action,
    token_mounts: Action,
}

impl Actions {
    /// The action of a rule.
    #[must_use]
    pub fn of(self, rule: Rule) -> Action {
        match rule {
            Rule::Credentials => self.credentials,
            Rule::TokenMounts => self.token_mounts,
            Rule::NodeAccess | Rule::SecretAccess | Rule::ServiceAccounts | Rule::PodOperator | Rule::Rbac => {
                Action::Off
            }
        }
    }

    fn new(settings: &Settings<'_>, namespace: &str, role: Role) -> Self {
        let (rule, _) = settings.action(Rule::TokenMounts, namespace);
        let airflow_pods = match settings.token_mounts.airflow_pods {
            AirflowPods::Ignore => Action::Off,
            AirflowPods::Audit => Action::Audit,
            AirflowPods::Enforce => Action::Enforce,
        };
        let token_mounts = match (role, settings.token_mounts.other_pods) {
            (Role::Component, _) | (Role::Other, OtherPods::NoToken) => rule,
            (Role::Task | Role::Airflow, _) => rule.min(airflow_pods),
            (Role::Other, OtherPods::Ignore) => Action::Off,
        };
        Self { credentials: settings.action(Rule::Credentials, namespace).0, token_mounts }
    }
}

impl<'s, 'd> Standing<'s, 'd> {
    /// Tells how a pod stands.
    #[must_use]
    pub fn tell(pod: &Outline<'_>, request: &Request<'_>, settings: &'s Settings<'d>) -> Self {
        let who = Who::tell(pod, &request.namespace, &request.requester, settings);
        let mut actions = Actions::new(settings, &request.namespace, who.role);
        let authored = |(key, _): &(Text<'_>, Text<'_>)| annotation::WRITTEN_BY_AUTHORS.contains(&&**key);
        if !pod.metadata.annotations.iter().any(authored) && !pod.spec.has_ephemeral_containers() {
            actions.credentials = Action::Off;
        }
        let mut standing = Self { who, actions, excused: Vec::new(), unchecked: Vec::new() };
        let claimant = claimant(pod, request);
        standing.actions.token_mounts = standing.excuse(Rule::TokenMounts, settings, &claimant);
        standing.actions.credentials = standing.excuse(Rule::Credentials, settings, &claimant);
        standing
    }

    /// A rule's action: off where an exception excuses the pod.
    fn excuse(&mut self, rule: Rule, settings: &Settings<'_>, claimant: &Claimant<'_, '_>) -> Action {
        let action = self.actions.of(rule);
        for exception in &settings.exceptions {
            let matched = exception.excuses(rule, claimant);
            if matched.holds {
                const UNCHECKED: &str = "requesters of exceptions";
                if matched.unchecked && !self.unchecked.contains(&UNCHECKED) {
                    self.unchecked.push(UNCHECKED);
                }
                let name = exception.name.as_ref().map_or("", |name| shown(&name.0));
                self.excused.push((name.to_owned(), rule));
                return Action::Off;
            }
        }
        action
    }

    /// Whether any rule runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.actions != Actions { credentials: Action::Off, token_mounts: Action::Off }
    }

    /// Runs the rules. `changes` tells whether the pod can be changed.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn plan<'a>(
        &mut self,
        pod: &Pod<'a>,
        request: &Request<'_>,
        settings: &Settings<'_>,
        changes: bool,
    ) -> Result<(Plan<'a>, Grants)> {
        let mut demands = Demands::default();
        if self.actions.token_mounts != Action::Off {
            token_mounts::demand(pod, &self.who, &settings.token_mounts, &mut demands);
            if self.who.unchecked {
                self.unchecked.push("creators of components");
            }
        }
        let mut grants = Grants::default();
        if self.actions.credentials != Action::Off {
            grants = credentials::demand(pod, &claimant(&pod.outline, request), settings, &mut demands)?;
            if grants.unchecked {
                self.unchecked.push("requesters of credentials");
            }
        }
        // What a pod asks for itself and may have is given to it under Audit too.
        let mends = |rule| changes && (rule == Rule::Credentials || self.actions.of(rule) == Action::Enforce);
        Ok((Plan::new(pod, demands, mends), grants))
    }
}

fn claimant<'r, 'a>(pod: &'r Outline<'a>, request: &'r Request<'_>) -> Claimant<'r, 'a> {
    Claimant {
        namespace: &request.namespace,
        service_account: pod.service_account(),
        metadata: &pod.metadata,
        requester: &request.requester,
    }
}
