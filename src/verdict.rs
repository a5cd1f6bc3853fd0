//! The verdict: which findings deny, which are reported, what is changed, and how the user is told.

use crate::annotation;
use crate::cluster::{Cluster, Lookups};
use crate::finding::{Finding, Key, Problem};
use crate::json::Result;
use crate::names::{shown, shown_label};
use crate::plan::Plan;
use crate::pod::{Outline, Pod, Section};
use crate::request::Request;
use crate::response::{Denial, Response, WARNING};
use crate::rules::credentials::Grants;
use crate::rules::{Rule, credentials};
use crate::settings::problems::{list, nearest};
use crate::settings::{Action, LookupError, Mode, Settings, Templates};
use crate::sorted::{Sorted, order};
use crate::standing::{Judgement, Standing};
use std::fmt::Write;

/// How many findings are told in full.
const TOLD: usize = 10;
/// How many containers an audit annotation names.
const LISTED: usize = 50;

/// What comes of a pod.
#[derive(Debug)]
struct Verdict<'v, 'a> {
    pod: &'v Pod<'a>,
    standing: Standing<'v, 'v>,
    plan: Plan<'a>,
    grants: Grants,
    forged: Vec<Finding<'a>>,
    /// Findings that the stored pod has too: they stay.
    known: Vec<Key>,
    known_order: Sorted,
    /// What there is to say of the annotations.
    remarks: Vec<String>,
    /// Who the pod is, in a sentence.
    described: String,
    /// The component that the pod matches without belonging to it, in a sentence.
    claim: Option<String>,
    update: bool,
    mode: Mode,
    /// Whether what can be mended is told where it is not: of a template only when that is asked for.
    tells_repairs: bool,
    /// What carries the template's pods is not as it is stored.
    rewritten: bool,
    /// Lookups that failed, in words, and what that leads to.
    failed: Vec<(Action, String)>,
    on_lookup_error: LookupError,
}

/// Judges a pod, and the stored one when it is an update.
///
/// # Errors
/// When the pod or the settings can't be read.
pub fn respond<'a>(
    request: &Request<'_>,
    settings: &Settings<'_>,
    cluster: &dyn Cluster,
    mut pod: Outline<'a>,
    old: Option<Outline<'a>>,
) -> Result<Response> {
    let update = request.is_update();
    let account = request.is_account();
    // Neither asks for credentials.
    let template = pod.is_template();
    let plain = template || account;
    let changed: Vec<&str> = match &old {
        Some(old) if !plain => {
            let keys = annotation::WRITTEN_BY_AUTHORS.into_iter();
            keys.filter(|key| pod.metadata.annotation(key) != old.metadata.annotation(key)).collect()
        }
        _ => Vec::new(),
    };
    let is_mirror = pod.metadata.annotation(annotation::MIRROR).is_some();
    let can_change = account || !update && !template && !is_mirror;
    let own = (credentials::own(&pod.metadata), old.as_ref().map(|old| credentials::own(&old.metadata)));
    if let Some(old) = old.as_ref().filter(|_| !plain) {
        // What was injected is what the annotations said when the pod was made.
        pod.metadata.annotations.clone_from(&old.metadata.annotations);
        if request.sub_resource == "ephemeralcontainers" {
            // The API server takes nothing but the ephemeral containers from such a request.
            pod.metadata.labels.clone_from(&old.metadata.labels);
        }
    }
    let mut standing = Standing::tell(&pod, request, settings);
    let remarks = if plain { Vec::new() } else { remarks(&pod, &changed, update) };
    let pod = if standing.runs() { Pod::read(pod)? } else { Pod::unread(pod) };
    let mut lookups = Lookups::new(cluster);
    let Judgement { plan, grants, annotations } =
        standing.plan(&pod, request, settings, can_change, (!update).then_some(&mut lookups))?;
    let (own, own_before) = own;
    let forged = if plain { Vec::new() } else { credentials::forged(&own, own_before.as_deref(), &annotations) };
    let rewritten = old.as_ref().is_none_or(|old| old.template != pod.outline.template);
    let mut known = Vec::new();
    if let Some(old) = old.filter(|_| !plan.findings.is_empty() || !plan.unmended.is_empty() || !plan.mended.is_empty())
    {
        let mut before = Standing::tell(&old, request, settings);
        let old = if before.runs() { Pod::read(old)? } else { Pod::unread(old) };
        let plan = before.plan(&old, request, settings, false, None)?.plan;
        known.extend(plan.findings.iter().chain(&plan.unmended).map(|finding| finding.key(&old)));
    }
    let runs = settings.action(Rule::TokenMounts, &request.namespace).0 != Action::Off;
    let claim = standing.who.claims.first().filter(|_| runs);
    let claim = claim.map(|claim| format!("the pod {}", standing.who.denied_claim(claim, &request.requester)));
    let judged = standing.actions.of(Rule::TokenMounts) != Action::Off;
    let quiet = plan.findings.is_empty() && plan.mended.is_empty() && plan.unmended.is_empty();
    let described = if !quiet { standing.who.describe(&request.requester, judged) } else { String::new() };
    let known_order = Sorted::by(&known, |key| key);
    let verdict = Verdict {
        pod: &pod,
        known_order,
        standing,
        plan,
        grants,
        forged,
        known,
        remarks,
        described,
        claim,
        update,
        mode: settings.mode,
        tells_repairs: !template
            || settings.mode == Mode::Validate && settings.token_mounts.templates == Templates::Strict,
        rewritten,
        failed: lookups.failed,
        on_lookup_error: settings.on_lookup_error,
    };
    let mut response = verdict.response();
    if response.denial.is_some() || response.mutated.is_some() || !response.annotations.is_empty() {
        let name = pod.outline.metadata.known_as();
        let (namespace, name) = (shown(&request.namespace), shown(name));
        response.about = format!("{} {} {namespace}/{name}", request.operation, shown(&request.kind));
    }
    Ok(response)
}

impl<'a> Verdict<'_, 'a> {
    /// The answer to give in a mode.
    fn response(self) -> Response {
        let mut response = Response::default();
        let mode = self.mode;
        let (pod, plan) = (self.pod, &self.plan);
        let ephemeral = |finding: &Finding<'_>| {
            let container = finding.place.container().and_then(|index| pod.containers.get(index));
            container.is_some_and(|container| container.section == Section::Ephemeral)
        };
        // Compared with the stored pod; what an ephemeral container brings is never old.
        let is_new = |finding: &&Finding<'a>| {
            let is_known = || self.known_order.find(&self.known, |key| key, &finding.key(pod)).is_some();
            // Whose template it is tells who writes it now, not what is stored.
            let spoofed = matches!(finding.problem, Problem::SpoofedTemplate(_));
            spoofed && self.rewritten || ephemeral(finding) || self.known.is_empty() || !is_known()
        };
        let mendable = plan.unmended.iter().chain(plan.mended.iter().filter(|_| mode == Mode::Validate));
        let mendable = mendable.filter(|_| self.tells_repairs).map(|finding| (finding, true));
        let all = plan.findings.iter().map(|finding| (finding, false)).chain(mendable);
        let (mut denied, mut reported) = (Vec::new(), Vec::new());
        for (finding, mendable) in all.filter(|(finding, _)| is_new(finding)) {
            match self.standing.actions.of_finding(finding) {
                Action::Enforce => denied.push((finding, mendable)),
                Action::Audit => reported.push((finding, mendable)),
                Action::Off => {}
            }
        }
        denied.extend(self.forged.iter().map(|finding| (finding, false)));
        let (denied, reported) = (worst_first(denied), worst_first(reported));
        let unknown = self.on_lookup_error == LookupError::Deny
            && self.failed.iter().any(|(action, _)| *action == Action::Enforce);
        self.annotate(&mut response, &denied, &reported, !denied.is_empty() || unknown);
        if !denied.is_empty() {
            let message = self.message(&denied);
            response.denial = Some(Denial { code: 403, message });
        } else if unknown {
            let failed: Vec<&str> = self.failed.iter().take(TOLD).map(|(_, text)| text.as_str()).collect();
            let message = format!(
                "a lookup failed, and `onLookupError: Deny` lets nothing pass unchecked: {}",
                failed.join("; ")
            );
            response.denial = Some(Denial { code: 500, message });
        } else if mode == Mode::Mutate && !plan.changes.is_empty() {
            response.mutated = Some(plan.changes.apply(pod));
        }
        self.warn(&mut response, &reported);
        response
    }

    fn message(&self, denied: &[(&Finding<'a>, bool)]) -> String {
        let tell = |(finding, mendable): &(&Finding<'a>, bool)| {
            let mut text = finding.render(self.pod);
            if *mendable && self.pod.outline.is_template() {
                text.push_str(" (it would be mended in the pods; `tokenMounts.templates: Strict` asks for it here)");
            } else if *mendable && self.mode == Mode::Validate && !self.update {
                let made = if finding.rule == Rule::ServiceAccounts { "" } else { " when the pod is made" };
                let _ = write!(text, " (the mutating policy mends this{made}: it did not run, or is set differently)");
            }
            text
        };
        let about_tokens = denied.iter().any(|(finding, _)| finding.rule == Rule::TokenMounts);
        let mut message = match denied {
            [one] => tell(one),
            many => {
                let mut text = format!("{} findings", many.len());
                for finding in many.iter().take(TOLD) {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\n- {}", tell(finding));
                }
                if many.len() > TOLD {
                    let _ = write!(text, "\nand {} more", many.len() - TOLD);
                }
                text
            }
        };
        if about_tokens {
            let _ = write!(message, "\n{}", self.described);
        }
        message
    }

    fn warn(&self, response: &mut Response, reported: &[(&Finding<'a>, bool)]) {
        for (finding, _) in reported.iter().take(TOLD) {
            const HEADING: &str = "not enforced: ";
            let texts = finding.render_within(self.pod, WARNING - HEADING.len());
            response.warnings.extend(texts.iter().map(|text| [HEADING, text].concat()));
        }
        if reported.len() > TOLD {
            response.warnings.push(format!("not enforced: and {} more findings", reported.len() - TOLD));
        }
        if response.denial.is_none() {
            response.warnings.extend(self.claim.clone());
        }
        if response.denial.as_ref().is_none_or(|denial| denial.code != 500) {
            let failed = self.failed.iter().take(TOLD);
            response.warnings.extend(failed.map(|(_, text)| format!("not checked: {text}")));
        }
        response.warnings.extend(self.remarks.iter().cloned());
    }

    fn annotate(
        &self,
        response: &mut Response,
        denied: &[(&Finding<'a>, bool)],
        reported: &[(&Finding<'a>, bool)],
        refused: bool,
    ) {
        let (plan, Standing { excused, unchecked, .. }) = (&self.plan, &self.standing);
        let mut note = |key, parts: Vec<String>, between: &str| {
            if !parts.is_empty() {
                response.annotations.push((key, parts.join(between)));
            }
        };
        let briefs = |list: &[(&Finding<'a>, bool)]| -> Vec<String> {
            list.iter().take(TOLD).map(|(finding, _)| finding.brief(self.pod)).collect()
        };
        let mut findings = briefs(denied);
        findings.extend(briefs(reported));
        let more = denied.len() + reported.len() - findings.len();
        findings.extend((more > 0).then(|| format!("and {more} more")));
        note("findings", findings, "; ");
        let excuse = |(name, rule): &(String, Rule)| format!("{name} skips {}", rule.id());
        note("exceptions", excused.iter().map(excuse).collect(), "; ");
        let mut skipped = Vec::new();
        if !unchecked.is_empty() {
            let why =
                if self.pod.outline.is_template() { "the pods are made later" } else { "the request names no user" };
            skipped.push(format!("{why}: counted as met: {}", unchecked.join(", ")));
        }
        skipped.extend((!self.failed.is_empty()).then(|| format!("lookups that failed: {}", self.failed.len())));
        note("not-checked", skipped, "; ");
        if refused {
            return;
        }
        if self.update || self.pod.outline.is_template() {
            return;
        }
        let mut absent = plan.unmended.iter().chain(plan.mended.iter().filter(|_| self.mode == Mode::Validate));
        let absent: Vec<String> = absent.by_ref().map(|finding| finding.problem.subject()).collect();
        let injected =
            |name: &str| !plan.refused.contains(&credentials::origin(name)) && !absent.iter().any(|one| one == name);
        let mut into: Vec<&str> = Vec::new();
        let mut which = Vec::new();
        for grant in self.grants.granted.iter().filter(|grant| injected(&grant.name) && !grant.containers.is_empty()) {
            let names = grant.containers.iter().filter_map(|index| self.pod.container_name(*index));
            let names: Vec<&str> = names.map(|name| shown(name)).collect();
            which.push([shown_label(&grant.name), ": ", &first(&names)].concat());
            let new: Vec<&str> = names.into_iter().take(LISTED + 1).filter(|name| !into.contains(name)).collect();
            into.extend(new);
        }
        note("credentials", which, "; ");
        note("containers", vec![first(&into)].into_iter().filter(|names| !names.is_empty()).collect(), "");
        if self.mode == Mode::Mutate {
            let mended = plan.mended.iter().filter(|finding| finding.rule == Rule::TokenMounts);
            note(
                "token-mounts",
                mended.take(TOLD).map(|finding| ["mended ", &finding.brief(self.pod)].concat()).collect(),
                "; ",
            );
        }
    }
}

/// The first names of a list, for an audit annotation.
fn first(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).copied().collect();
    let more = if names.len() > LISTED { ", …" } else { "" };
    shown.join(", ") + more
}

fn worst_first<'f, 'a>(findings: Vec<(&'f Finding<'a>, bool)>) -> Vec<(&'f Finding<'a>, bool)> {
    let rank = |index: usize| findings.get(index).map(|(finding, _)| finding.problem.rank());
    let order = order(findings.len(), &|one, other| rank(one).cmp(&rank(other)));
    order.iter().filter_map(|index| findings.get(*index).copied()).collect()
}

/// What there is to say of annotations that mean nothing where they are.
fn remarks(pod: &Outline<'_>, changed: &[&str], update: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    if !changed.is_empty() {
        remarks.push(format!(
            "{} changed: this has no effect on a pod that runs already; make the pod anew",
            list(changed)
        ));
    }
    if update {
        return remarks;
    }
    let mut unknown = pod.metadata.annotations.iter().filter(|(key, _)| annotation::is_unknown(key));
    for (key, _) in unknown.by_ref().take(TOLD) {
        let hint = match nearest(key, &annotation::WRITTEN_BY_AUTHORS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", list(&annotation::WRITTEN_BY_AUTHORS)),
        };
        remarks.push(format!("annotation `{}` is none of the policy's: {hint}", shown(key)));
    }
    match unknown.count() {
        0 => {}
        more => remarks.push(format!("and {more} more annotations that are none of the policy's")),
    }
    let asks = [annotation::GOOGLE, annotation::CREDENTIALS].iter().any(|key| pod.metadata.annotation(key).is_some());
    if pod.metadata.annotation(annotation::CONTAINERS).is_some() && !asks {
        remarks.push(format!("annotation `{}` has no effect: the pod names no credential", annotation::CONTAINERS));
    }
    remarks
}
