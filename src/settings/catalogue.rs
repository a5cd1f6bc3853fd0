//! The sections `credentials` and `credentialInjection`.

use super::Action;
use super::TokenMounts;
use super::access::{Allow, Claimant};
use super::pattern::any;
use super::problems::{At, Problems};
use super::read::{Pattern, Setting, section, words, wrong};
use crate::credentials::{self, Credential, Type};
use crate::json::{Kind, Noted, Raw, Reader, Result, Text};
use crate::names::is_dns_label;
use crate::sorted::Sorted;

/// The credentials by name. What a credential is stays unread until a pod asks for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue<'a> {
    entries: Vec<Listed<'a>>,
}

/// A credential of which no more is known than can be told in passing.
#[derive(Debug, Clone, PartialEq)]
struct Listed<'a> {
    name: Text<'a>,
    text: &'a str,
    head: Head<'a>,
}

/// One credential.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// Its type.
    pub kind: &'static Type,
    /// Who may use it.
    pub allow: Allow<'a>,
    /// What it puts into a container.
    pub credential: Box<dyn Credential + 'a>,
}

impl<'a> Setting<'a> for Catalogue<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        if reader.kind()? != Kind::Object {
            return wrong(reader, at, problems, "an object: credential names and what they are");
        }
        let mut entries = Vec::new();
        let mut fields = reader.object("credentials")?;
        while let Some(key) = reader.key(&mut fields)? {
            let (text, head) = match reader.kind()? {
                Kind::Object => reader.note(HEAD).map(|(text, noted)| (text, noted.map(Head::new)))?,
                _ => (reader.skip()?.text, Some(Head::default())),
            };
            let head = match head {
                Some(head) => head,
                None => Head::read(text)?,
            };
            entries.push(Listed { name: key, text, head });
        }
        Ok(Some(Self { entries }))
    }
}

impl<'a> Catalogue<'a> {
    /// Whether there is no credential at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether there is a credential of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// The credentials of these names, as far as there are any; the rest stays unread. What was wrong with them was told
    /// at boot.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn find(&self, names: &[&str]) -> Result<Vec<Entry<'a>>> {
        let mut found = Vec::new();
        if names.is_empty() {
            return Ok(found);
        }
        for listed in self.entries.iter().filter(|entry| names.contains(&entry.name.as_ref())) {
            found.extend(listed.read(At::ROOT, &mut Problems::default())?);
        }
        Ok(found)
    }

    /// The names of the credentials of which `admits` holds, at most `most`, in the order of the document; `google`:
    /// Google's alone.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn admitting(&self, who: &Claimant<'_, '_>, google: bool, most: usize) -> Result<Vec<&str>> {
        let mut names = Vec::new();
        for Listed { name, head, .. } in &self.entries {
            if names.len() == most {
                break;
            }
            // Nobody has what has no `allow`.
            let Some(allow) = head.allow else { continue };
            if Allow::rules_out(&mut Reader::new(allow), who)? {
                continue;
            }
            let Some(kind) = head.kind()?.as_deref().and_then(credentials::type_of) else { continue };
            if (!google || kind.google) && head.allow(At::ROOT, &mut Problems::default())?.admits(who).holds {
                names.push(name.as_ref());
            }
        }
        Ok(names)
    }

    /// The credentials that read one of these Secrets.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn reading(&self, secrets: &[&str]) -> Result<Vec<Entry<'a>>> {
        let mut found = Vec::new();
        if secrets.is_empty() {
            return Ok(found);
        }
        for listed in &self.entries {
            let named = text(listed.head.secret)?;
            if !secrets.contains(&named.as_ref().unwrap_or(&listed.name).as_ref()) {
                continue;
            }
            let entry = listed.read(At::ROOT, &mut Problems::default())?;
            let secret =
                |entry: &Entry<'a>| entry.credential.secret(&entry.name).is_some_and(|name| secrets.contains(&name));
            found.extend(entry.filter(secret));
        }
        Ok(found)
    }

    /// Which of these audiences a credential has tokens for.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn used_audiences<'w>(&self, audiences: &[&'w str]) -> Result<Vec<&'w str>> {
        let mut used: Vec<&'w str> = Vec::new();
        let by_default = |kind: &&Type| kind.audience.is_some_and(|audience| audiences.contains(&audience));
        for listed in &self.entries {
            if used.len() == audiences.len() {
                break;
            }
            let kind = listed.head.kind()?.as_deref().and_then(credentials::type_of);
            let Some(kind) = kind.filter(|kind| kind.token) else { continue };
            let raw = Raw { text: listed.text, at: 0 };
            let told = || audiences.iter().any(|audience| raw.has_string(audience));
            if !by_default(&kind) && raw.is_literal() && !told() {
                continue;
            }
            let Some(entry) = listed.read(At::ROOT, &mut Problems::default())? else { continue };
            let audience = entry.credential.audience();
            let found = audiences.iter().find(|wanted| audience == Some(**wanted) && !used.contains(*wanted));
            used.extend(found);
        }
        Ok(used)
    }

    /// Notes everything that is wrong with the credentials.
    pub(super) fn check(&self, at: At<'_>, tokens: &TokenMounts<'_>, problems: &mut Problems) -> Result<()> {
        for listed in &self.entries {
            let at = at.key(&listed.name);
            if !is_dns_label(&listed.name) {
                problems.add(at, "must be named by a DNS label: lower-case letters, digits and `-`, at most 63");
            }
            let Some(entry) = listed.read(at, problems)? else { continue };
            let secret = entry.credential.secret(&entry.name);
            if secret.is_some_and(|secret| any(&tokens.token_secrets, secret)) {
                problems.add(at, "reads a Secret that `tokenMounts.tokenSecrets` names: no task pod may have it");
            }
            if entry.credential.audience().is_some_and(|audience| tokens.is_api(audience)) {
                problems.add(at, "has a token projected for an audience of the API server: no task pod may have it");
            }
        }
        let by_name = Sorted::by(&self.entries, |entry| &entry.name);
        if let Some(name) = by_name.twice(&self.entries, |entry| &entry.name) {
            problems.add(at.key(name), "stands there twice");
        }
        Ok(())
    }
}

/// What can be told of an entry without reading its type's fields.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Head<'a> {
    kind: Option<&'a str>,
    secret: Option<&'a str>,
    allow: Option<&'a str>,
    /// One of these that stands there twice.
    twice: Option<&'static str>,
}

/// The keys of a [`Head`].
const HEAD: [&str; 3] = ["type", "secretName", "allow"];

impl<'a> Head<'a> {
    fn new(noted: Noted<'a, 3>) -> Self {
        let [kind, secret, allow] = noted.values;
        Self { kind, secret, allow, twice: noted.twice.and_then(|index| HEAD.get(index).copied()) }
    }

    /// Reads an object whose keys are written with escapes.
    fn read(text: &'a str) -> Result<Self> {
        let mut noted = Noted { values: [None; 3], twice: None };
        let mut reader = Reader::new(text);
        let mut fields = reader.object("credentials")?;
        while let Some(key) = reader.key(&mut fields)? {
            let value = reader.skip()?.text;
            if let Some(index) = HEAD.iter().position(|wanted| *wanted == key)
                && let Some(known) = noted.values.get_mut(index)
                && known.replace(value).is_some()
            {
                noted.twice = Some(index);
            }
        }
        Ok(Self::new(noted))
    }

    fn kind(&self) -> Result<Option<Text<'a>>> {
        text(self.kind)
    }

    fn allow(&self, at: At<'_>, problems: &mut Problems) -> Result<Allow<'a>> {
        match self.allow {
            Some(text) if text != "null" => Ok(Allow::read(&mut Reader::new(text), at, problems)?.unwrap_or_default()),
            _ => Ok(Allow::default()),
        }
    }
}

/// A value as a string; `None` for anything else.
fn text<'a>(value: Option<&'a str>) -> Result<Option<Text<'a>>> {
    match value {
        Some(text) if text.starts_with('"') => Reader::new(text).string("credentials"),
        _ => Ok(None),
    }
}

impl<'a> Listed<'a> {
    /// Reads the whole credential: `type` says which type's fields the rest is.
    fn read(&self, at: At<'_>, problems: &mut Problems) -> Result<Option<Entry<'a>>> {
        let mut reader = Reader::new(self.text);
        if reader.kind()? != Kind::Object {
            return wrong(&mut reader, at, problems, "an object");
        }
        if let Some(key) = self.head.twice {
            problems.add(at.key(key), "stands there twice");
        }
        let allow = self.head.allow(at.key("allow"), problems)?;
        let kind = credentials::checked_type(self.head.kind()?.as_deref(), at.key("type"), problems);
        let Some(kind) = kind else { return Ok(None) };
        let credential = (kind.read)(&mut reader, at, problems)?;
        Ok(credential.map(|credential| Entry { name: self.name.clone(), kind, allow, credential }))
    }
}

words! {
    /// What the Google annotation may name.
    pub enum Uncatalogued {
        /// A Secret with a `key.json`.
        Allow = "Allow",
        /// Credentials of the catalogue alone.
        Deny = "Deny",
    }
}

section! {
    /// How credentials are injected.
    pub struct Injection<'a> {
        /// The action of rule `credentials`.
        "failureAction" failure_action: Option<Action> = None;
        /// What the Google annotation may name; absent: `Allow` while the catalogue is empty.
        "uncatalogued" uncatalogued: Option<Uncatalogued> = None;
        /// Containers that get no credential unless an annotation names them.
        "skipContainers" skip_containers: Vec<Pattern<'a>> = DEFAULT_SKIPPED.map(|name| Pattern(name.into())).to_vec();
        /// Whether init containers get it too.
        "initContainers" init_containers: bool = false;
        /// Whether the Secret is looked up.
        "verifySecrets" verify_secrets: bool = false;
    }
}

/// Sidecars that hold no task: Airflow's, the meshes', Vault's, git-sync, the Cloud SQL proxy.
pub const DEFAULT_SKIPPED: [&str; 6] =
    ["airflow-xcom-sidecar", "istio-proxy", "linkerd-proxy", "vault-agent*", "*git-sync*", "cloud-sql-proxy*"];
