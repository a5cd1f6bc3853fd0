//! The sections `credentials` and `credentialInjection`.

use super::Action;
use super::access::Allow;
use super::pattern::any;
use super::problems::{At, Problems};
use super::read::{Pattern, Setting, section, words, wrong};
use crate::credentials::{self, Credential};
use crate::json::{Kind, Raw, Reader, Result, Text};
use crate::names::is_dns_label;
use crate::sorted::Sorted;

/// The credentials by name, unread.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Catalogue<'a> {
    raw: Option<Raw<'a>>,
}

/// One credential.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its name.
    pub name: Text<'a>,
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
        Ok(Some(Self { raw: Some(reader.skip()?) }))
    }
}

impl<'a> Catalogue<'a> {
    /// Whether there is no credential at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.raw.is_some_and(|raw| raw.text.contains('"'))
    }

    /// The credentials of these names, as far as there are any; the rest is passed over unread. What was wrong with
    /// them was told at boot.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn find(&self, names: &[&str]) -> Result<Vec<Entry<'a>>> {
        let mut entries = Vec::new();
        if names.is_empty() {
            return Ok(entries);
        }
        self.each(|key, value| {
            if names.contains(&key.as_ref()) {
                entries.extend(Entry::read(key, value, At::ROOT, &mut Problems::default())?);
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// All credentials that can be read, in the order of the document.
    ///
    /// # Errors
    /// When the settings are not JSON.
    pub fn entries(&self) -> Result<Vec<Entry<'a>>> {
        let mut entries = Vec::new();
        self.each(|key, value| {
            entries.extend(Entry::read(key, value, At::ROOT, &mut Problems::default())?);
            Ok(())
        })?;
        Ok(entries)
    }

    /// Notes everything that is wrong with the credentials.
    pub(super) fn check(&self, at: At<'_>, token_secrets: &[Pattern<'_>], problems: &mut Problems) -> Result<()> {
        let mut names: Vec<Text<'a>> = Vec::new();
        self.each(|key, value| {
            let at = at.key(&key);
            if !is_dns_label(&key) {
                problems.add(at, "must be named by a DNS label: lower-case letters, digits and `-`, at most 63");
            }
            if let Some(entry) = Entry::read(key.clone(), value, at, problems)? {
                let secret = entry.credential.secret(&entry.name);
                if secret.is_some_and(|secret| any(token_secrets, secret)) {
                    problems.add(at, "reads a Secret that `tokenMounts.tokenSecrets` names: no task pod may have it");
                }
            }
            names.push(key);
            Ok(())
        })?;
        if let Some(name) = Sorted::by(&names, |name| name).twice(&names, |name| name) {
            problems.add(at.key(name), "stands there twice");
        }
        Ok(())
    }

    fn each(&self, mut visit: impl FnMut(Text<'a>, Raw<'a>) -> Result<()>) -> Result<()> {
        let Some(raw) = self.raw else { return Ok(()) };
        let mut reader = raw.reader();
        let mut fields = reader.object("credentials")?;
        while let Some(key) = reader.key(&mut fields)? {
            visit(key, reader.skip()?)?;
        }
        Ok(())
    }
}

impl<'a> Entry<'a> {
    /// Reads an entry: `type` says which type's fields the rest is.
    fn read(name: Text<'a>, raw: Raw<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        let mut reader = raw.reader();
        if reader.kind()? != Kind::Object {
            return wrong(&mut reader, at, problems, "an object");
        }
        let (mut kind, mut allow) = (None, Allow::default());
        let mut fields = reader.object("credentials")?;
        let (mut types, mut allows) = (0, 0);
        while let Some(key) = reader.key(&mut fields)? {
            match key.as_ref() {
                "type" => {
                    types += 1;
                    kind = Some(reader.skip()?);
                }
                "allow" => {
                    allows += 1;
                    if !reader.null()? {
                        allow = Allow::read(&mut reader, at.key("allow"), problems)?.unwrap_or_default();
                    }
                }
                _ => {
                    reader.skip()?;
                }
            }
        }
        for (key, count) in [("type", types), ("allow", allows)] {
            if count > 1 {
                problems.add(at.key(key), "stands there twice");
            }
        }
        let word = match kind {
            Some(kind) if kind.text.starts_with('"') => kind.reader().string("type")?,
            _ => None,
        };
        let Some(read) = credentials::reader_of(word.as_deref(), at.key("type"), problems) else { return Ok(None) };
        let credential = read(&mut raw.reader(), at, problems)?;
        Ok(credential.map(|credential| Self { name, allow, credential }))
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
    check check_injection;
}

/// Sidecars that hold no task: Airflow's, the meshes', Vault's, git-sync, the Cloud SQL proxy.
pub const DEFAULT_SKIPPED: [&str; 6] =
    ["airflow-xcom-sidecar", "istio-proxy", "linkerd-proxy", "vault-agent*", "*git-sync*", "cloud-sql-proxy*"];

fn check_injection(injection: &Injection<'_>, at: At<'_>, problems: &mut Problems) {
    if injection.verify_secrets {
        let text = "asks for Secrets to be looked up, which is not part of this version: remove the key";
        problems.add(at.key("verifySecrets"), text);
    }
}
