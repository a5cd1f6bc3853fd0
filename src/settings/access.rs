//! Who a setting concerns: overrides, exceptions, `allow`.

use super::FailureAction;
use super::pattern::{AccountPattern, any, matches, matches_account, restricts};
use super::problems::{At, Problems};
use super::read::{Labels, Pattern, Restriction, section};
use crate::json::{Kind, Reader, Result};
use crate::pod::Metadata;
use crate::request::Requester;
use crate::rules::Rule;

section! {
    /// Another action for some namespaces.
    pub struct Override<'a> {
        /// The action.
        "action" action: Option<FailureAction> = None;
        /// The namespaces, as patterns.
        "namespaces" namespaces: Option<Restriction<Pattern<'a>>> = None;
        /// The rules; absent: all but node-access and rbac.
        "rules" rules: Option<Restriction<Rule>> = None;
    }
    check check_override;
}

fn check_override(entry: &Override<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(entry.action.is_some(), at.key("action"), "");
    problems.require(entry.namespaces.is_some(), at.key("namespaces"), "");
}

impl Override<'_> {
    /// Whether the override concerns a rule in a namespace.
    #[must_use]
    pub fn concerns(&self, rule: Rule, namespace: &str) -> bool {
        let rules = match &self.rules {
            Some(rules) => rules.0.contains(&rule),
            None => !matches!(rule, Rule::NodeAccess | Rule::Rbac),
        };
        rules && self.namespaces.as_ref().is_some_and(|namespaces| any(&namespaces.0, namespace))
    }
}

section! {
    /// An excuse from rules.
    pub struct Exception<'a> {
        /// What reports call it.
        "name" name: Option<Pattern<'a>> = None;
        /// The rules that it excuses from.
        "rules" rules: Option<Restriction<Rule>> = None;
        /// The objects that it excuses.
        "match" matches: Option<ExceptionMatch<'a>> = None;
    }
    check check_exception;
}

fn check_exception(exception: &Exception<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(exception.name.is_some(), at.key("name"), "");
    problems.require(exception.rules.is_some(), at.key("rules"), "");
    problems.require(exception.matches.is_some(), at.key("match"), "");
}

section! {
    /// The objects that an exception excuses: all that are given must match.
    pub struct ExceptionMatch<'a> {
        /// Namespaces.
        "namespaces" namespaces: Option<Restriction<Pattern<'a>>> = None;
        /// The pod's ServiceAccount.
        "serviceAccounts" service_accounts: Option<Restriction<AccountPattern<'a>>> = None;
        /// Its generateName, else its name.
        "names" names: Option<Restriction<Pattern<'a>>> = None;
        /// Its labels.
        "labels" labels: Labels<'a> = Labels::default();
        /// Who creates it.
        "requesters" requesters: Option<Restriction<Pattern<'a>>> = None;
    }
    check check_match;
}

fn check_match(matches: &ExceptionMatch<'_>, at: At<'_>, problems: &mut Problems) {
    let Some(namespaces) = &matches.namespaces else {
        let why = ": labels, names and requesters alone can be had by pods of any namespace";
        problems.require(false, at.key("namespaces"), why);
        return;
    };
    for (index, pattern) in namespaces.0.iter().enumerate() {
        if !restricts(&pattern.0) {
            problems.add(at.key("namespaces").index(index), "must not match every namespace");
        }
    }
}

/// Whether conditions hold, and whether the requester was asked for and unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The conditions hold, or would for the right requester.
    pub holds: bool,
    /// A condition on the requester was counted as met.
    pub unchecked: bool,
}

/// What conditions are held against.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'r, 'a> {
    /// The request's namespace.
    pub namespace: &'r str,
    /// The pod's ServiceAccount.
    pub service_account: &'r str,
    /// Labels and name.
    pub metadata: &'r Metadata<'a>,
    /// Who makes the request.
    pub requester: &'r Requester<'r>,
}

impl Claimant<'_, '_> {
    fn accounts(&self, patterns: Option<&Restriction<AccountPattern<'_>>>) -> bool {
        patterns.is_none_or(|list| list.0.iter().any(|pattern| pattern.matches(self.namespace, self.service_account)))
    }

    fn namespaces(&self, patterns: Option<&Restriction<Pattern<'_>>>) -> bool {
        patterns.is_none_or(|list| any(&list.0, self.namespace))
    }

    /// `exempt`: the condition is on who made the object, and this requester is not known to be the one.
    fn requesters(&self, patterns: Option<&Restriction<Pattern<'_>>>, exempt: bool) -> Match {
        match patterns {
            None => Match { holds: true, unchecked: false },
            Some(_) if exempt || self.requester.is_missing() => Match { holds: true, unchecked: !exempt },
            Some(list) => {
                let holds = list.0.iter().any(|pattern| self.requester.matches(&pattern.0));
                Match { holds, unchecked: false }
            }
        }
    }
}

impl Exception<'_> {
    /// Whether the exception excuses from `rule`.
    #[must_use]
    pub fn excuses(&self, rule: Rule, who: &Claimant<'_, '_>) -> Match {
        let Some(matches) = &self.matches else { return Match { holds: false, unchecked: false } };
        let rules = self.rules.as_ref().is_some_and(|rules| rules.0.contains(&rule));
        let object = who.namespaces(matches.namespaces.as_ref())
            && who.accounts(matches.service_accounts.as_ref())
            && matches.names.as_ref().is_none_or(|names| any(&names.0, who.metadata.known_as()))
            && matches.labels.0.iter().all(|(key, value)| who.metadata.label(key) == Some(value.as_ref()));
        if !(rules && matches.namespaces.is_some() && object) {
            return Match { holds: false, unchecked: false };
        }
        // Whoever changes a pod is excused by his own name, not by that of the one who made it.
        who.requesters(matches.requesters.as_ref(), false)
    }
}

/// The one ServiceAccount of an `allow` that ends with it, if it is written without escapes and white space.
fn last_account(allow: &str) -> Option<&str> {
    let body = allow.strip_suffix("\"]}")?;
    let at = body.bytes().rposition(|byte| byte == b'"')?;
    let one = body.get(at + 1..)?;
    let is_it = body.get(..at)?.ends_with("\"serviceAccounts\":[") && !one.bytes().any(|byte| byte == b'\\');
    is_it.then_some(one)
}

/// Whether a list of one plain string, as most lists are, holds none that matches.
fn none(list: Option<&str>, is_match: &dyn Fn(&str) -> bool) -> bool {
    let one = list.and_then(|text| text.strip_prefix("[\"")?.strip_suffix("\"]"));
    one.is_some_and(|one| !one.bytes().any(|byte| matches!(byte, b'"' | b'\\')) && !is_match(one))
}

section! {
    /// Who may use a credential: all that are given must match.
    pub struct Allow<'a> {
        /// Namespaces.
        "namespaces" namespaces: Option<Restriction<Pattern<'a>>> = None;
        /// The pod's ServiceAccount. Whoever may create pods there chooses it.
        "serviceAccounts" service_accounts: Option<Restriction<AccountPattern<'a>>> = None;
        /// Who creates the pod: usernames, or groups with `group:` before them.
        "requesters" requesters: Option<Restriction<Pattern<'a>>> = None;
        /// The pod's label `dag_id`; advisory, since a DAG author can write it. Empty: any.
        "dagIds" dag_ids: Vec<Pattern<'a>> = Vec::new();
    }
    check check_allow;
}

fn check_allow(allow: &Allow<'_>, at: At<'_>, problems: &mut Problems) {
    let others = allow.service_accounts.is_some() || allow.requesters.is_some() || !allow.dag_ids.is_empty();
    problems.require(!others || allow.namespaces.is_some(), at.key("namespaces"), "");
}

impl Allow<'_> {
    /// Whether an `allow`, checked for form before, surely does not admit `who`: its namespaces or ServiceAccounts do not
    /// match. Of a thousand credentials most are ruled out so, at a fraction of what reading them would cost.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn rules_out(reader: &mut Reader<'_>, who: &Claimant<'_, '_>) -> Result<bool> {
        if reader.kind()? != Kind::Object {
            return Ok(false);
        }
        // Hosts write keys in their order: the ServiceAccounts come last, and tell most credentials apart.
        if last_account(reader.text()).is_some_and(|one| !matches_account(one, who.namespace, who.service_account)) {
            return Ok(true);
        }
        let Some(noted) = reader.note(["namespaces", "serviceAccounts"])?.1 else { return Ok(false) };
        let [namespaces, accounts] = noted.values;
        let namespace = |pattern: &str| matches(pattern, who.namespace);
        let account = |pattern: &str| matches_account(pattern, who.namespace, who.service_account);
        Ok(none(namespaces, &namespace) || none(accounts, &account))
    }

    /// Whether `who` is admitted. Nobody is where no namespace is named.
    #[must_use]
    pub fn admits(&self, who: &Claimant<'_, '_>) -> Match {
        let dag = || {
            let id = who.metadata.label("dag_id").unwrap_or_default();
            self.dag_ids.is_empty() || any(&self.dag_ids, id)
        };
        let object = self.namespaces.is_some()
            && who.namespaces(self.namespaces.as_ref())
            && who.accounts(self.service_accounts.as_ref())
            && dag();
        if object {
            who.requesters(self.requesters.as_ref(), who.requester.exempt)
        } else {
            Match { holds: false, unchecked: false }
        }
    }
}
