//! `custom`: what no other type knows, put together by the operator: env variables, files of a Secret, a projected token.
//!
//! Env does not change in a running pod; files and the token do.

use super::fields::{EnvName, FilePath, RelativePath, SecretKey, SecretName, TokenAudience, holds_token, is_relative};
use super::{Credential, Made, SecretPart, Type, credential_type};
use crate::json::Text;
use crate::names::{directory_of, is_mount_path, is_within, label_of};
use crate::requirement::{ProjectedSource, Requirement, VolumeSource};
use crate::settings::problems::{At, Problems};
use crate::settings::read::{Seconds, section, text};

/// What the name of the volume with the Secret's files begins with.
const FILES: &str = "custom-files-";
/// What the name of the volume with the token begins with.
const TOKEN: &str = "custom-token-";
/// Where a token's relative path begins, followed by the credential's name.
const DIRECTORY: &str = "/var/run/secrets/custom/";

pub(super) const TYPE: Type = Type {
    token: true,
    made: &[Made { volume: FILES, files: &[], token: false }, Made { volume: TOKEN, files: &[], token: true }],
    ..credential_type!("custom", Custom)
};

section! {
    /// The fields.
    pub struct Custom<'a> also ["type", "allow"] {
        /// Env variables.
        "env" env: Vec<Variable<'a>> = Vec::new();
        /// The Secret; absent: named like the credential.
        "secretName" secret_name: Option<SecretName<'a>> = None;
        /// Files of the Secret.
        "files" files: Option<Files<'a>> = None;
        /// A token of the pod's ServiceAccount, for another service than the API server.
        "token" token: Option<Token<'a>> = None;
    }
    check check;
}

section! {
    /// An env variable.
    pub struct Variable<'a> {
        /// Its name.
        "name" name: Option<EnvName<'a>> = None;
        /// Its value; never a secret.
        "value" value: Option<Text<'a>> = None;
        /// The key of the Secret that holds its value.
        "secretKey" secret_key: Option<SecretKey<'a>> = None;
    }
    check check_variable;
}

section! {
    /// Files of a Secret.
    pub struct Files<'a> {
        /// The directory.
        "mountPath" mount_path: Option<FilePath<'a>> = None;
        /// The files; absent: every key of the Secret.
        "items" items: Vec<Item<'a>> = Vec::new();
    }
    check check_files;
}

section! {
    /// A file of a Secret.
    pub struct Item<'a> {
        /// The key.
        "key" key: Option<SecretKey<'a>> = None;
        /// The file's path in the directory; absent: called like the key.
        "path" path: Option<RelativePath<'a>> = None;
    }
    check check_item;
}

section! {
    /// A token of the pod's ServiceAccount.
    pub struct Token<'a> {
        /// Who takes it.
        "audience" audience: Option<TokenAudience<'a>> = None;
        /// Its file: an absolute path, or one below `/var/run/secrets/custom/NAME`.
        "path" path: TokenPath<'a> = TokenPath("token".into());
        /// How long it is valid, in seconds.
        "expirationSeconds" expiration: Seconds<600, 86_400> = Seconds(3600);
    }
    check check_token;
}

text! {
    /// The path of a token's file.
    TokenPath, "a file's path, clean, in a directory of its own, without `:` and without the text `serviceaccount`", |text| {
        let directory = text.rsplit_once('/').map_or("", |(directory, _)| directory);
        let absolute = is_mount_path(text) && !directory.is_empty() && !holds_token(directory);
        (absolute || !text.starts_with('/') && is_relative(text)) && !text.contains("serviceaccount")
    }
}

fn check_variable(variable: &Variable<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(variable.name.is_some(), at.key("name"), "");
    if variable.value.as_ref().is_some_and(|value| value.contains("$(")) {
        problems.add(at.key("value"), "must not hold `$(`: the kubelet would expand it with what the pod sets");
    }
    if variable.value.is_some() == variable.secret_key.is_some() {
        problems.require(false, at.key("value"), ": either it or `secretKey`");
    }
}

fn check_files(files: &Files<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(files.mount_path.is_some(), at.key("mountPath"), "");
    let path = |item: &Item<'_>| {
        let path = item.path.as_ref().map(|path| path.0.to_string());
        path.or(item.key.as_ref().map(|key| key.0.to_string()))
    };
    for (index, item) in files.items.iter().enumerate() {
        let Some(own) = path(item) else { continue };
        if files
            .items
            .iter()
            .take(index)
            .filter_map(path)
            .any(|other| is_within(&own, &other) || is_within(&other, &own))
        {
            problems.add(
                at.key("items").index(index).key("path"),
                "is the path of another item, or one lies below the other",
            );
        }
    }
}

fn check_item(item: &Item<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(item.key.is_some(), at.key("key"), "");
}

fn check_token(token: &Token<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(token.audience.is_some(), at.key("audience"), "");
}

fn check(fields: &Custom<'_>, at: At<'_>, problems: &mut Problems) {
    if fields.env.is_empty() && fields.files.is_none() && fields.token.is_none() {
        problems.require(false, at.key("env"), ": it, `files` or `token`; the credential would be nothing");
    }
    for (index, variable) in fields.env.iter().enumerate() {
        let name = variable.name.as_ref();
        if name.is_some() && fields.env.iter().take(index).any(|other| other.name.as_ref() == name) {
            problems.add(at.key("env").index(index).key("name"), "names a variable that another entry names already");
        }
    }
    let files = fields.files.as_ref().and_then(|files| files.mount_path.as_ref());
    if let (Some(files), Some(token)) = (files, &fields.token) {
        // A relative path lies in the directory of the credential, whose name is not known here.
        let (directory, _) = token.place("*");
        let directory = directory.replace("/*", "");
        if is_within(&files.0, &directory) || is_within(&directory, &files.0) {
            problems
                .add(at.key("token").key("path"), "must not lie in the directory of `files`, nor that one in its own");
        }
    }
}

impl Token<'_> {
    /// The directory and the file in it.
    fn place(&self, name: &str) -> (String, String) {
        match self.path.0.strip_prefix('/').and_then(|_| self.path.0.rsplit_once('/')) {
            Some((directory, file)) => (directory.to_owned(), file.to_owned()),
            None => ([DIRECTORY, &directory_of(name)].concat(), self.path.0.clone().into_owned()),
        }
    }
}

impl Credential for Custom<'_> {
    fn secret<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        let read = self.files.is_some() || self.env.iter().any(|variable| variable.secret_key.is_some());
        match &self.secret_name {
            Some(secret) => Some(&secret.0),
            None => read.then_some(name),
        }
    }

    fn secret_parts(&self) -> Vec<SecretPart<'_>> {
        let env = self.env.iter().filter_map(|variable| variable.secret_key.as_ref());
        let mut parts: Vec<SecretPart<'_>> = env.map(|key| SecretPart::Text(&key.0)).collect();
        let items = self.files.iter().flat_map(|files| &files.items).filter_map(|item| item.key.as_ref());
        parts.extend(items.map(|key| SecretPart::File(&key.0)));
        if self.files.as_ref().is_some_and(|files| files.items.is_empty()) {
            parts.push(SecretPart::All);
        }
        parts
    }

    fn audience(&self) -> Option<&str> {
        self.token.as_ref()?.audience.as_ref().map(AsRef::as_ref)
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let secret = self.secret(name).unwrap_or(name);
        let mut needs = Vec::new();
        if let Some(files) = &self.files {
            let volume = label_of(FILES, name);
            let item = |item: &Item<'_>| {
                let key = item.key.as_ref().map_or("", |key| &key.0);
                (key.to_owned(), item.path.as_ref().map_or(key, |path| &path.0).to_owned())
            };
            let items = files.items.iter().map(item).collect();
            needs.push(Requirement::volume(&volume, VolumeSource::Secret { secret: secret.to_owned(), items }));
            let path = files.mount_path.as_ref().map_or("", |path| &path.0);
            needs.push(Requirement::mount(container, &volume, path));
        }
        if let Some(token) = &self.token {
            let volume = label_of(TOKEN, name);
            let (directory, file) = token.place(name);
            let source = ProjectedSource::token(self.audience().unwrap_or_default(), token.expiration.0, &file);
            needs.push(Requirement::volume(&volume, VolumeSource::Projected(vec![source])));
            needs.push(Requirement::mount(container, &volume, &directory));
        }
        needs.extend(self.env.iter().map(|variable| {
            let name = variable.name.as_ref().map_or("", |name| &name.0);
            match (&variable.value, &variable.secret_key) {
                (_, Some(key)) => Requirement::env_of_secret(container, name, secret, &key.0),
                (value, None) => Requirement::env(container, name, value.as_deref().unwrap_or_default()),
            }
        }));
        needs
    }
}
