//! How a pod stands with the rules: who it is, which of them run for it, and what they demand.

use crate::annotation;
use crate::cluster::Lookups;
use crate::finding::{Finding, Place, Problem};
use crate::json::{Result, Text};
use crate::names::shown;
use crate::plan::{Demands, Plan};
use crate::pod::{Outline, Pod};
use crate::request::Request;
use crate::requirement::Requirement;
use crate::rules::credentials::Grants;
use crate::rules::{Rule, credentials, node_access, pod_operator, rbac, secret_access, service_accounts, token_mounts};
use crate::settings::access::Claimant;
use crate::settings::{Action, AirflowPods, OtherPods, Settings};
use crate::who::{OPERATOR_LABEL, Role, Who};

/// How a pod stands with the rules: what its outline alone tells.
#[derive(Debug)]
pub struct Standing<'s, 'd> {
    /// Who it is.
    pub who: Who<'s, 'd>,
    /// How the rules are run for it.
    pub actions: Actions,
    /// Whether it asks for credentials, or has containers that might get at those it has.
    asks: bool,
    /// Whether it has one of the annotations that authors write.
    authored: bool,
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
    /// Rule token-mounts' own, whoever the pod is.
    components: Action,
    secret_access: Action,
    /// Rule secret-access' for a task pod's own tokens.
    own_tokens: Action,
    node_access: Action,
    pod_operator: Action,
    service_accounts: Action,
    /// Rule service-accounts' for pods, and for identities that nobody granted.
    workloads: Action,
    identities: Action,
    rbac: Action,
}

impl Actions {
    /// The action of a rule.
    #[must_use]
    pub fn of(self, rule: Rule) -> Action {
        match rule {
            Rule::Credentials => self.credentials,
            Rule::TokenMounts => self.token_mounts,
            Rule::SecretAccess => self.secret_access,
            Rule::NodeAccess => self.node_access,
            Rule::PodOperator => self.pod_operator,
            Rule::ServiceAccounts => self.service_accounts,
            Rule::Rbac => self.rbac,
        }
    }

    /// What a pod whose ServiceAccount lacks its component's role leads to.
    #[must_use]
    pub fn workloads(self) -> Action {
        self.workloads
    }

    /// What a finding leads to.
    #[must_use]
    pub fn of_finding(self, finding: &Finding<'_>) -> Action {
        match finding.problem {
            Problem::SpoofedTemplate(_) => self.components,
            Problem::OwnToken(..) => self.own_tokens,
            Problem::UngrantedIdentity(..) => self.identities,
            Problem::AccountLacksRole { .. } if finding.rule == Rule::ServiceAccounts => self.workloads,
            _ => self.of(finding.rule),
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
        let secret_access = settings.action(Rule::SecretAccess, namespace).0;
        let own_tokens =
            if role == Role::Task { secret_access.min(settings.secret_access.token_audiences) } else { Action::Off };
        let node_access = match (role, settings.token_mounts.other_pods) {
            (Role::Other, OtherPods::Ignore) => Action::Off,
            _ => settings.action(Rule::NodeAccess, namespace).0,
        };
        Self {
            node_access,
            pod_operator: settings.action(Rule::PodOperator, namespace).0,
            service_accounts: settings.action(Rule::ServiceAccounts, namespace).0,
            workloads: Action::Off,
            identities: Action::Off,
            rbac: settings.action(Rule::Rbac, namespace).0,
            credentials: settings.action(Rule::Credentials, namespace).0,
            token_mounts,
            components: rule,
            secret_access,
            own_tokens,
        }
    }

    fn all_off(self) -> bool {
        let of_lists = [self.credentials, self.token_mounts, self.secret_access, self.node_access, self.rbac];
        of_lists.iter().all(|action| *action == Action::Off)
    }
}

impl<'s, 'd> Standing<'s, 'd> {
    /// Tells how a pod stands.
    #[must_use]
    pub fn tell(pod: &Outline<'_>, request: &Request<'_>, settings: &'s Settings<'d>) -> Self {
        if request.is_account() {
            return Self::tell_account(pod, request, settings);
        }
        let who = Who::tell(pod, &request.namespace, &request.requester, settings);
        let actions = Actions::new(settings, &request.namespace, who.role);
        let mut standing =
            Self { who, actions, asks: false, authored: false, excused: Vec::new(), unchecked: Vec::new() };
        let claimant = claimant(pod, request);
        // A claim is judged with the rule's own action, whatever holds for other Airflow pods.
        let own = standing.actions.token_mounts;
        if standing.who.spoofed {
            standing.actions.token_mounts = standing.actions.components;
        }
        let judged = standing.excuse(Rule::TokenMounts, settings, &claimant);
        standing.actions.components = judged;
        standing.actions.token_mounts = own.min(judged);
        let authored = |(key, _): &(Text<'_>, Text<'_>)| annotation::WRITTEN_BY_AUTHORS.contains(&&**key);
        standing.authored = pod.metadata.annotations.iter().any(authored);
        // What was injected is told by its form, of pods that may have asked for it once.
        let debugged = pod.spec.has_ephemeral_containers() && standing.who.role != Role::Other;
        let asks = standing.authored || debugged;
        // A template asks for nothing: its pods do.
        standing.asks = asks && !pod.is_template();
        standing.actions.credentials = if standing.asks || !settings.credentials.is_empty() && !pod.is_template() {
            standing.excuse(Rule::Credentials, settings, &claimant)
        } else {
            Action::Off
        };
        standing.actions.secret_access = standing.excuse(Rule::SecretAccess, settings, &claimant);
        standing.actions.own_tokens = standing.actions.own_tokens.min(standing.actions.secret_access);
        standing.actions.node_access = standing.excuse(Rule::NodeAccess, settings, &claimant);
        if pod.metadata.label(OPERATOR_LABEL).is_none() {
            standing.actions.pod_operator = Action::Off;
        }
        standing.actions.pod_operator = standing.excuse(Rule::PodOperator, settings, &claimant);
        // Of a pod that is made now the cluster is asked, and of nothing else.
        let made = !pod.is_template() && !request.is_update();
        let roles = settings.service_accounts.as_ref().filter(|section| made && !section.roles.is_empty());
        standing.actions.service_accounts = match roles {
            Some(_) => standing.excuse(Rule::ServiceAccounts, settings, &claimant),
            None => Action::Off,
        };
        standing.actions.workloads =
            roles.map_or(Action::Off, |section| section.workloads.min(standing.actions.service_accounts));
        if !made || !matches!(standing.who.role, Role::Component | Role::Task) {
            standing.actions.rbac = Action::Off;
        }
        standing.actions.rbac = standing.excuse(Rule::Rbac, settings, &claimant);
        standing
    }

    /// Tells how a ServiceAccount stands: one rule concerns it.
    fn tell_account(account: &Outline<'_>, request: &Request<'_>, settings: &'s Settings<'d>) -> Self {
        let off = Action::Off;
        let actions = Actions {
            credentials: off,
            token_mounts: off,
            components: off,
            secret_access: off,
            own_tokens: off,
            node_access: off,
            pod_operator: off,
            service_accounts: settings.action(Rule::ServiceAccounts, &request.namespace).0,
            workloads: off,
            identities: off,
            rbac: off,
        };
        let mut standing = Self {
            who: Who::nobody(),
            actions,
            asks: false,
            authored: false,
            excused: Vec::new(),
            unchecked: Vec::new(),
        };
        let claimant = Claimant { service_account: &account.metadata.name, ..claimant(account, request) };
        let action = standing.excuse(Rule::ServiceAccounts, settings, &claimant);
        standing.actions.service_accounts = action;
        let section = settings.service_accounts.as_ref();
        standing.actions.identities = section.map_or(Action::Off, |section| section.identity_annotations.min(action));
        standing
    }

    /// A rule's action: off where an exception excuses the pod.
    fn excuse(&mut self, rule: Rule, settings: &Settings<'_>, claimant: &Claimant<'_, '_>) -> Action {
        let action = self.actions.of(rule);
        if action == Action::Off {
            return action;
        }
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

    /// Whether any rule runs that looks at the pod's lists.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.actions.all_off()
    }

    /// Runs the rules. `changes` tells whether the pod can be changed; nothing is looked up without `lookups`.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn plan<'a>(
        &mut self,
        pod: &Pod<'a>,
        request: &Request<'_>,
        settings: &Settings<'_>,
        changes: bool,
        mut lookups: Option<&mut Lookups<'_>>,
    ) -> Result<Judgement<'a>> {
        let mut demands = Demands::default();
        let claimant = claimant(&pod.outline, request);
        let mut grants = Grants::default();
        // What was granted is known before tokens are judged; the order of the findings is that of their rank.
        let mut credentials = Demands::default();
        if self.actions.credentials != Action::Off {
            if self.asks {
                if let Some(lookups) = lookups.as_deref_mut() {
                    lookups.action = self.actions.credentials;
                }
                grants = credentials::demand(pod, &claimant, settings, lookups.as_deref_mut(), &mut credentials)?;
            }
            if !settings.credentials.is_empty() && (self.authored || self.who.role != Role::Other) {
                credentials::foreign(pod, self.authored, &mut credentials);
            }
        }
        if self.who.spoofed && self.actions.components != Action::Off {
            let claim = self.who.claims.first().map_or_else(String::new, |claim| claim.title().to_owned());
            let problem = Problem::SpoofedTemplate(claim);
            demands.findings.push(Finding { rule: Rule::TokenMounts, place: Place::Labels, problem });
        }
        if self.actions.token_mounts != Action::Off {
            token_mounts::demand(pod, &self.who, &settings.token_mounts, &grants, &mut demands);
            if self.who.unchecked {
                self.unchecked.push("creators of components");
            }
        }
        if self.actions.node_access != Action::Off {
            node_access::demand(pod, &settings.node_access, &mut demands);
        }
        if let Some(section) = settings.pod_operator.as_ref().filter(|_| self.actions.pod_operator != Action::Off) {
            pod_operator::demand(&pod.outline, section, &mut demands);
        }
        let accounts = settings.service_accounts.as_ref().filter(|_| self.actions.service_accounts != Action::Off);
        if let (Some(section), true) = (accounts, request.is_account()) {
            service_accounts::demand(&pod.outline, &request.namespace, section, &mut demands);
        }
        if let Some(lookups) = lookups.filter(|_| !request.is_account()) {
            if let Some(section) = accounts.filter(|_| self.actions.workloads != Action::Off) {
                lookups.action = self.actions.workloads;
                service_accounts::workload(&pod.outline, &request.namespace, section, lookups, &mut demands);
            }
            if let Some(section) = settings.rbac.as_ref().filter(|_| self.actions.rbac != Action::Off) {
                lookups.action = self.actions.rbac;
                let (namespace, requester) = (&request.namespace, &request.requester);
                rbac::demand(pod, namespace, &self.who, requester, section, lookups, &mut demands);
            }
        }
        let mut unchecked = grants.unchecked;
        demands.repairs.append(&mut credentials.repairs);
        demands.findings.append(&mut credentials.findings);
        if self.actions.secret_access != Action::Off {
            let told = self.asks && self.actions.credentials >= self.actions.secret_access;
            let debugger = (request.sub_resource == "ephemeralcontainers").then(|| request.requester.as_maker());
            unchecked |= secret_access::demand(pod, &claimant, settings, !told, debugger.as_ref(), &mut demands)?;
            if self.actions.own_tokens != Action::Off {
                secret_access::own_tokens(pod, &grants, settings, &mut demands)?;
            }
        }
        if unchecked {
            self.unchecked.push("requesters of credentials");
        }
        let repairs = demands.repairs.iter().flat_map(|repair| &repair.requirements);
        let annotations = repairs
            .filter_map(|requirement| match requirement {
                Requirement::Annotation { key, value } => Some((key.clone(), value.clone())),
                _ => None,
            })
            .collect();
        // What a pod asks for itself and may have is given to it under Audit too.
        let mends = |rule| changes && (rule == Rule::Credentials || self.actions.of(rule) == Action::Enforce);
        Ok(Judgement { plan: Plan::new(pod, demands, mends), grants, annotations })
    }
}

/// What the rules say of a pod.
#[derive(Debug)]
pub struct Judgement<'a> {
    /// What must change, and what stands in the way.
    pub plan: Plan<'a>,
    /// What the pod was granted.
    pub grants: Grants,
    /// The annotations of the policy's own that the pod is to have.
    pub annotations: Vec<(String, String)>,
}

fn claimant<'r, 'a>(pod: &'r Outline<'a>, request: &'r Request<'_>) -> Claimant<'r, 'a> {
    Claimant {
        namespace: &request.namespace,
        service_account: pod.service_account(),
        metadata: &pod.metadata,
        requester: &request.requester,
    }
}
