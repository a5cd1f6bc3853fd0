//! What the cluster knows and the request does not say: asked through the policy server, as seldom as can be.
//!
//! An answer that is missing, malformed or another object's is neither a yes nor a no: the lookup has failed.

use crate::json::{ObjectWriter, Reader, Result as Read, Text, Unreadable, fields, quote};
use crate::names::shown;
use crate::pod::Metadata;
use crate::settings::Action;

/// Who answers: the policy server in the module, a fixture in tests.
pub trait Cluster {
    /// Asks an operation of Kubewarden's `kubernetes` capabilities (`get_resource`, `can_i`); question and answer are JSON.
    ///
    /// # Errors
    /// When there is no answer: the host's own words.
    fn ask(&self, operation: &str, question: &str) -> Result<Vec<u8>, String>;
}

/// Nobody to ask: every lookup fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCluster;

impl Cluster for NoCluster {
    fn ask(&self, _operation: &str, _question: &str) -> Result<Vec<u8>, String> {
        Err(String::from("there is no cluster to ask"))
    }
}

/// An object that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there, with these annotations as far as they were asked for.
    Here(Vec<(String, String)>),
    /// It is not.
    Missing,
    /// Nobody knows.
    Unknown,
}

/// The lookups of one verdict: the same question is asked once.
pub struct Lookups<'c> {
    cluster: &'c dyn Cluster,
    asked: Vec<Asked>,
    reviewed: Vec<(String, Option<bool>)>,
    /// The action of the rule that asks.
    pub action: Action,
    /// The lookups that failed: the action of the rule that asked, and what it was, in words.
    pub failed: Vec<(Action, String)>,
}

/// A question about an object, and what came of it.
#[derive(Debug)]
struct Asked {
    kind: &'static str,
    question: String,
    found: Found,
}

impl std::fmt::Debug for Lookups<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookups").field("asked", &self.asked).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl<'c> Lookups<'c> {
    /// None yet.
    #[must_use]
    pub fn new(cluster: &'c dyn Cluster) -> Self {
        Self { cluster, asked: Vec::new(), reviewed: Vec::new(), action: Action::Enforce, failed: Vec::new() }
    }

    /// Whether a Secret exists. Nothing of it but its name comes from the policy server.
    pub fn secret(&mut self, namespace: &str, name: &str) -> Found {
        self.get("Secret", namespace, name, r#"["metadata.name"]"#)
    }

    /// A ServiceAccount and its annotations.
    pub fn service_account(&mut self, namespace: &str, name: &str) -> Found {
        self.get("ServiceAccount", namespace, name, r#"["metadata.annotations","metadata.name"]"#)
    }

    /// Whether a ServiceAccount may do something in a namespace; `None`: nobody knows.
    pub fn can_i(&mut self, account: (&str, &str), namespace: &str, wanted: Right<'_>) -> Option<bool> {
        let (home, name) = account;
        // Without its groups every grant to all ServiceAccounts would be missed.
        let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{home}"), "system:authenticated"];
        let groups: Vec<String> = groups.iter().map(|group| quoted(group)).collect();
        let mut attributes = ObjectWriter::default()
            .text("group", wanted.group)
            .text("namespace", namespace)
            .text("resource", wanted.resource);
        if !wanted.subresource.is_empty() {
            attributes = attributes.text("subresource", wanted.subresource);
        }
        let review = ObjectWriter::default()
            .raw("groups", &format!("[{}]", groups.join(",")))
            .text("user", &format!("system:serviceaccount:{home}:{name}"))
            .raw("resource_attributes", &attributes.text("verb", wanted.verb).finish())
            .finish();
        let question =
            ObjectWriter::default().raw("subject_access_review", &review).raw("disable_cache", "false").finish();
        if let Some((_, known)) = self.reviewed.iter().find(|(asked, _)| *asked == question) {
            return *known;
        }
        if self.reviewed.iter().any(|(_, known)| known.is_none()) {
            // Whoever did not answer once is not asked again and again, with a pod waiting.
            return None;
        }
        let answer = self.cluster.ask("can_i", &question);
        let answer =
            answer.and_then(|answer| allowed(&answer).map_err(|why| format!("the answer can't be used: {why}")));
        let known = match answer {
            Ok(allowed) => Some(allowed),
            Err(why) => {
                let (home, name, namespace) = (shown(home), shown(name), shown(namespace));
                let text = format!(
                    "whether ServiceAccount `{home}/{name}` may {} in namespace `{namespace}` is not known: {}",
                    wanted.words(),
                    plain(&why)
                );
                self.failed.push((self.action, text));
                None
            }
        };
        self.reviewed.push((question, known));
        known
    }

    fn get(&mut self, kind: &'static str, namespace: &str, name: &str, masks: &str) -> Found {
        let question = ObjectWriter::default()
            .text("api_version", "v1")
            .text("kind", kind)
            .text("name", name)
            .text("namespace", namespace)
            .raw("disable_cache", "false")
            .raw("field_masks", masks)
            .finish();
        if let Some(asked) = self.asked.iter().find(|asked| asked.question == question) {
            return asked.found.clone();
        }
        if self.asked.iter().any(|asked| asked.kind == kind && asked.found == Found::Unknown) {
            // Whoever did not answer once is not asked again and again, with a pod waiting.
            let (namespace, name) = (shown(namespace), shown(name));
            self.failed
                .push((self.action, format!("{kind} `{name}` of namespace `{namespace}` was not looked up either")));
            self.asked.push(Asked { kind, question, found: Found::Unknown });
            return Found::Unknown;
        }
        let found = match self.cluster.ask("get_resource", &question) {
            Ok(answer) => match read(&answer, name) {
                Ok(annotations) => Found::Here(annotations),
                Err(why) => self.fail(kind, namespace, name, &format!("the answer can't be used: {why}")),
            },
            // The policy server's words for an object that is not there; it has no code for it.
            Err(text) if text.contains(&format!("Cannot find v1/{kind} named ")) => Found::Missing,
            Err(text) => self.fail(kind, namespace, name, &text),
        };
        self.asked.push(Asked { kind, question, found: found.clone() });
        found
    }

    fn fail(&mut self, kind: &str, namespace: &str, name: &str, why: &str) -> Found {
        let (namespace, name) = (shown(namespace), shown(name));
        let text = format!("{kind} `{name}` of namespace `{namespace}` can't be looked up: {}", plain(why));
        self.failed.push((self.action, text));
        Found::Unknown
    }
}

/// A right, as RBAC writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right<'r> {
    /// The API group; empty for the core group.
    pub group: &'r str,
    /// The resource.
    pub resource: &'r str,
    /// The subresource; empty for none.
    pub subresource: &'r str,
    /// The verb.
    pub verb: &'r str,
}

impl Right<'_> {
    fn words(&self) -> String {
        let slash = if self.subresource.is_empty() { "" } else { "/" };
        format!("`{} {}{slash}{}`", self.verb, self.resource, self.subresource)
    }
}

fn quoted(text: &str) -> String {
    let mut json = String::new();
    quote(&mut json, text);
    json
}

/// What a SubjectAccessReview says. An answer that does not say it, or says both, is no answer.
fn allowed(answer: &[u8]) -> Read<bool> {
    let shape = |expected| Box::new(Unreadable::Shape { field: "answer.allowed", expected });
    let text = std::str::from_utf8(answer).map_err(|_| shape("UTF-8"))?;
    let reader = &mut Reader::new(text);
    fields!(reader, "answer" => _, {
        allowed: "allowed" => reader.bool("answer.allowed")?,
        denied: "denied" => reader.bool("answer.denied")?,
    });
    reader.end()?;
    if allowed == Some(true) && denied == Some(true) {
        return Err(shape("false beside `denied: true`"));
    }
    allowed.ok_or_else(|| shape("true or false"))
}

/// The annotations of the object in an answer, which must be the one that was asked for.
fn read(answer: &[u8], name: &str) -> Read<Vec<(String, String)>> {
    let shape = |expected| Box::new(Unreadable::Shape { field: "answer", expected });
    let text = std::str::from_utf8(answer).map_err(|_| shape("UTF-8"))?;
    let reader = &mut Reader::new(text);
    fields!(reader, "answer" => _, { metadata: "metadata" => Some(Metadata::read_all(reader)?), });
    reader.end()?;
    let metadata: Option<Metadata<'_>> = metadata;
    match metadata {
        Some(metadata) if metadata.name == name => {
            let owned = |(key, value): (Text<'_>, Text<'_>)| (key.into_owned(), value.into_owned());
            Ok(metadata.annotations.into_iter().map(owned).collect())
        }
        _ => Err(shape("the object that was asked for")),
    }
}

/// The host's words, as far as they are words: without what waPC and the policy server put before them, and without the
/// backtrace that may follow.
fn plain(text: &str) -> String {
    const MOST: usize = 160;
    const BEFORE: [&str; 2] = ["Host error: ", "Callback evaluation failure: "];
    let text = BEFORE.iter().fold(text, |text, before| text.strip_prefix(before).unwrap_or(text));
    let text = text.split("Stack backtrace:").next().unwrap_or_default();
    let mut kept = String::new();
    for char in text.chars() {
        if kept.len() > MOST {
            return kept + " …";
        }
        if char.is_ascii_whitespace() {
            if !kept.ends_with(' ') {
                kept.push(' ');
            }
        } else if char.is_ascii_graphic() && char != '`' {
            kept.push(char);
        }
    }
    let kept = kept.trim();
    if kept.is_empty() { String::from("no reason given") } else { kept.to_owned() }
}
