//! The sections `credentials` and `credentialInjection`.

use super::Action;
use super::TokenMounts;
use super::access::{Allow, Claimant};
use super::pattern::any;
use super::problems::{At, Problems};
use super::read::{Pattern, Setting, section, words, wrong};
use crate::credentials::{self, Credential, Type};
use crate::json::{Kind, Raw, Reader, Result, Text};
use crate::names::is_dns_label;
use crate::sorted::Sorted;

/// The credentials by name. What a credential is stays unread until a pod asks for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue<'a> {
    entries: Vec<(Text<'a>, Raw<'a>)>,
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
            entries.push((key, reader.skip()?));
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
        self.entries.iter().any(|(known, _)| known == name)
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
        for (name, raw) in self.entries.iter().filter(|(name, _)| names.contains(&name.as_ref())) {
            found.extend(Entry::read(name.clone(), *raw, At::ROOT, &mut Problems::default())?);
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
        for (name, raw) in &self.entries {
            if names.len() == most {
                break;
            }
            let head = Head::read(*raw)?;
            let Some(kind) = head.kind.as_deref().and_then(credentials::type_of) else { continue };
            if (!google || kind.google) && head.allow()?.admits(who).holds {
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
        for (name, raw) in &self.entries {
            let secret = Head::secret_name(*raw)?;
            if !secrets.contains(&secret.as_deref().unwrap_or(name)) {
                continue;
            }
            let entry = Entry::read(name.clone(), *raw, At::ROOT, &mut Problems::default())?;
            let reads = |entry: &Entry<'a>| entry.credential.secret(name).is_some_and(|name| secrets.contains(&name));
            found.extend(entry.filter(reads));
        }
        Ok(found)
    }

    /// The credentials with tokens for one of these audiences.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn with_audience(&self, audiences: &[&str]) -> Result<Vec<Entry<'a>>> {
        let mut found = Vec::new();
        if audiences.is_empty() {
            return Ok(found);
        }
        for (name, raw) in &self.entries {
            let head = Head::read(*raw)?;
            if !head.kind.as_deref().and_then(credentials::type_of).is_some_and(|kind| kind.token) {
                continue;
            }
            let entry = Entry::read(name.clone(), *raw, At::ROOT, &mut Problems::default())?;
            let uses = |entry: &Entry<'a>| entry.credential.audience().is_some_and(|name| audiences.contains(&name));
            found.extend(entry.filter(uses));
        }
        Ok(found)
    }

    /// Notes everything that is wrong with the credentials.
    pub(super) fn check(&self, at: At<'_>, tokens: &TokenMounts<'_>, problems: &mut Problems) -> Result<()> {
        for (name, raw) in &self.entries {
            let at = at.key(name);
            if !is_dns_label(name) {
                problems.add(at, "must be named by a DNS label: lower-case letters, digits and `-`, at most 63");
            }
            let Some(entry) = Entry::read(name.clone(), *raw, at, problems)? else { continue };
            let secret = entry.credential.secret(&entry.name);
            if secret.is_some_and(|secret| any(&tokens.token_secrets, secret)) {
                problems.add(at, "reads a Secret that `tokenMounts.tokenSecrets` names: no task pod may have it");
            }
            if entry.credential.audience().is_some_and(|audience| tokens.is_api(audience)) {
                problems.add(at, "has a token projected for an audience of the API server: no task pod may have it");
            }
        }
        let by_name = Sorted::by(&self.entries, |(name, _)| name);
        if let Some(name) = by_name.twice(&self.entries, |(name, _)| name) {
            problems.add(at.key(name), "stands there twice");
        }
        Ok(())
    }
}

/// What can be told of an entry without reading its type's fields.
#[derive(Debug, Default)]
struct Head<'a> {
    kind: Option<Text<'a>>,
    allow: Option<Raw<'a>>,
    /// Keys of these that stand there twice.
    twice: Vec<&'static str>,
}

impl<'a> Head<'a> {
    fn read(raw: Raw<'a>) -> Result<Self> {
        let mut reader = raw.reader();
        let mut head = Self::default();
        if reader.kind()? != Kind::Object {
            return Ok(head);
        }
        let mut types = 0;
        let mut fields = reader.object("credentials")?;
        while let Some(key) = reader.key(&mut fields)? {
            match key.as_ref() {
                "type" => {
                    types += 1;
                    if types == 2 {
                        head.twice.push("type");
                    }
                    head.kind = match reader.kind()? {
                        Kind::String => reader.string("type")?,
                        _ => reader.skip().map(|_| None)?,
                    };
                }
                "allow" => {
                    if head.allow.replace(reader.skip()?).is_some() {
                        head.twice.push("allow");
                    }
                }
                _ => {
                    reader.skip()?;
                }
            }
        }
        Ok(head)
    }

    fn allow(&self) -> Result<Allow<'a>> {
        match self.allow {
            Some(raw) if raw.text != "null" => {
                let allow = Allow::read(&mut raw.reader(), At::ROOT, &mut Problems::default())?;
                Ok(allow.unwrap_or_default())
            }
            _ => Ok(Allow::default()),
        }
    }

    /// `secretName`, as far as it is told; what comes after it is not read.
    fn secret_name(raw: Raw<'a>) -> Result<Option<Text<'a>>> {
        let mut reader = raw.reader();
        if reader.kind()? != Kind::Object {
            return Ok(None);
        }
        let mut fields = reader.object("credentials")?;
        while let Some(key) = reader.key(&mut fields)? {
            if key == "secretName" && reader.kind()? == Kind::String {
                return reader.string("secretName");
            }
            reader.skip()?;
        }
        Ok(None)
    }
}

impl<'a> Entry<'a> {
    /// Reads an entry: `type` says which type's fields the rest is.
    fn read(name: Text<'a>, raw: Raw<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        let mut reader = raw.reader();
        if reader.kind()? != Kind::Object {
            return wrong(&mut reader, at, problems, "an object");
        }
        let head = Head::read(raw)?;
        for key in &head.twice {
            problems.add(at.key(key), "stands there twice");
        }
        let mut allow = Allow::default();
        if let Some(raw) = head.allow.filter(|raw| raw.text != "null") {
            allow = Allow::read(&mut raw.reader(), at.key("allow"), problems)?.unwrap_or_default();
        }
        let kind = credentials::checked_type(head.kind.as_deref(), at.key("type"), problems);
        let Some(kind) = kind else { return Ok(None) };
        let credential = (kind.read)(&mut raw.reader(), at, problems)?;
        Ok(credential.map(|credential| Self { name, kind, allow, credential }))
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
