//! What the cluster knows and the request does not say: asked through the policy server, as seldom as can be.
//!
//! An answer that is missing, malformed or another object's is neither a yes nor a no: the lookup has failed.

use crate::json::{ObjectWriter, Reader, Result as Read, Text, Unreadable, fields};
use crate::names::shown;
use crate::pod::Metadata;

/// Who answers: the policy server in the module, a fixture in tests.
pub trait Cluster {
    /// Asks an operation of Kubewarden's `kubernetes` capabilities (`get_resource`); question and answer are JSON.
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
    asked: Vec<(String, Found)>,
    /// The lookups that failed, in words.
    pub failed: Vec<String>,
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
        Self { cluster, asked: Vec::new(), failed: Vec::new() }
    }

    /// Whether a Secret exists. Nothing of it but its name comes from the policy server.
    pub fn secret(&mut self, namespace: &str, name: &str) -> Found {
        self.get("Secret", namespace, name, r#"["metadata.name"]"#)
    }

    /// A ServiceAccount and its annotations.
    pub fn service_account(&mut self, namespace: &str, name: &str) -> Found {
        self.get("ServiceAccount", namespace, name, r#"["metadata.annotations","metadata.name"]"#)
    }

    fn get(&mut self, kind: &str, namespace: &str, name: &str, masks: &str) -> Found {
        let question = ObjectWriter::default()
            .text("api_version", "v1")
            .text("kind", kind)
            .text("name", name)
            .text("namespace", namespace)
            .raw("disable_cache", "false")
            .raw("field_masks", masks)
            .finish();
        if let Some((_, found)) = self.asked.iter().find(|(asked, _)| *asked == question) {
            return found.clone();
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
        self.asked.push((question, found.clone()));
        found
    }

    fn fail(&mut self, kind: &str, namespace: &str, name: &str, why: &str) -> Found {
        let (namespace, name) = (shown(namespace), shown(name));
        let text = format!("{kind} `{name}` of namespace `{namespace}` can't be looked up: {}", plain(why));
        self.failed.push(text);
        Found::Unknown
    }
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

/// The host's words, as far as they are words.
fn plain(text: &str) -> String {
    const MOST: usize = 160;
    let kept = |char: &char| (char.is_ascii_graphic() || *char == ' ') && *char != '`';
    let head: String = text.chars().filter(kept).take(MOST).collect();
    if text.chars().count() > MOST { format!("{head} …") } else { head }
}
