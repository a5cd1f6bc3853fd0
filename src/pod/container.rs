use super::Listed;
use crate::json::{ObjectAt, Raw, Reader, Result, Text, fields};
use crate::jwt::token_in;
use std::ops::Range;

/// The list of the PodSpec that a container stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `initContainers`: init containers and native sidecars.
    Init,
    /// `containers`
    Normal,
    /// `ephemeralContainers`
    Ephemeral,
}

/// A container of any kind.
#[derive(Debug)]
pub struct Container<'a> {
    /// The list that it stands in.
    pub section: Section,
    /// Its index there.
    pub index: usize,
    /// `name`
    pub name: Text<'a>,
    /// Where keys can be added.
    pub at: ObjectAt,
    /// `env`
    pub env: Listed<EnvVar<'a>>,
    /// The Secrets of `envFrom`, by index.
    pub env_from: Vec<Option<Text<'a>>>,
    /// `volumeMounts`
    pub mounts: Listed<Mount<'a>>,
    /// `securityContext.privileged`
    pub privileged: bool,
    /// `targetContainerName`, of an ephemeral container.
    pub target: Option<Text<'a>>,
}

/// An entry of `env`.
#[derive(Debug)]
pub struct EnvVar<'a> {
    /// `name`
    pub name: Text<'a>,
    /// Where its value comes from.
    pub value: EnvValue<'a>,
}

/// Where the value of an env variable comes from.
#[derive(Debug)]
pub enum EnvValue<'a> {
    /// A literal, unread; `None` is the empty string.
    Literal(Option<Raw<'a>>),
    /// A key of a Secret.
    Secret {
        /// The Secret's name.
        name: Text<'a>,
        /// The key in it.
        key: Text<'a>,
        /// Nothing else is said, `optional: true` least of all.
        plain: bool,
    },
    /// Anything else: a ConfigMap's key, a field of the pod, a resource.
    Other,
}

impl EnvVar<'_> {
    /// Whether the variable's literal holds a Kubernetes ServiceAccount's token.
    #[must_use]
    pub fn holds_token(&self) -> bool {
        match &self.value {
            EnvValue::Literal(Some(raw)) => token_in(raw),
            _ => false,
        }
    }

    /// Whether the variable is set to exactly this literal.
    #[must_use]
    pub fn is_literal(&self, wanted: &str) -> bool {
        match &self.value {
            EnvValue::Literal(None) => wanted.is_empty(),
            EnvValue::Literal(Some(raw)) => {
                raw.reader().string("value").is_ok_and(|value| value.as_deref() == Some(wanted))
            }
            EnvValue::Secret { .. } | EnvValue::Other => false,
        }
    }
}

/// An entry of `volumeMounts`.
#[derive(Debug)]
pub struct Mount<'a> {
    /// The entry's bytes.
    pub range: Range<usize>,
    /// `name`, the volume's.
    pub volume: Text<'a>,
    /// `mountPath`
    pub path: Text<'a>,
    /// `readOnly`
    pub read_only: bool,
    /// Whether `subPath` or `subPathExpr` narrows the mount.
    pub sub_path: bool,
    /// Whether the entry says anything else (`mountPropagation` …).
    pub more: bool,
}

impl<'a> Container<'a> {
    pub(super) fn list(reader: &mut Reader<'a>, section: Section) -> Result<Listed<Self>> {
        Listed::read(reader, section.path(), |reader, index| Self::read(reader, section, index))
    }

    fn read(reader: &mut Reader<'a>, section: Section, index: usize) -> Result<Self> {
        fields!(reader, "spec.containers[]" => at, {
            name: "name" => reader.string("spec.containers[].name")?,
            env: "env" => Listed::read(reader, "spec.containers[].env", |r, _| EnvVar::read(r))?,
            env_from: "envFrom" => Listed::read(reader, "spec.containers[].envFrom", |r, _| env_from_secret(r))?,
            mounts: "volumeMounts" => {
                Listed::read(reader, "spec.containers[].volumeMounts", |r, _| Mount::read(r))?
            },
            privileged: "securityContext" => is_privileged(reader)?,
            target: "targetContainerName" => reader.string("spec.ephemeralContainers[].targetContainerName")?,
        });
        Ok(Self {
            section,
            index,
            name: name.unwrap_or_default(),
            at,
            env,
            env_from: env_from.items,
            mounts,
            privileged,
            target: target.filter(|name: &Text<'a>| !name.is_empty()),
        })
    }
}

impl Section {
    /// The list's path in the Pod.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Init => "spec.initContainers",
            Self::Normal => "spec.containers",
            Self::Ephemeral => "spec.ephemeralContainers",
        }
    }

    /// What a user calls a container of this list.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Init => "init container",
            Self::Normal => "container",
            Self::Ephemeral => "ephemeral container",
        }
    }
}

impl<'a> EnvVar<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        fields!(reader, "spec.containers[].env[]" => _, {
            name: "name" => reader.string("spec.containers[].env[].name")?,
            value: "value" => reader.raw_text("spec.containers[].env[].value")?,
            source: "valueFrom" => value_from(reader)?,
        });
        Ok(Self { name: name.unwrap_or_default(), value: source.unwrap_or(EnvValue::Literal(value)) })
    }
}

fn value_from<'a>(reader: &mut Reader<'a>) -> Result<Option<EnvValue<'a>>> {
    if reader.null()? {
        return Ok(None);
    }
    fields!(reader, "spec.containers[].env[].valueFrom" => _, {
        secret: "secretKeyRef" => secret_key(reader)?,
    });
    Ok(Some(secret.unwrap_or(EnvValue::Other)))
}

fn secret_key<'a>(reader: &mut Reader<'a>) -> Result<Option<EnvValue<'a>>> {
    if reader.null()? {
        return Ok(None);
    }
    let mut plain = true;
    fields!(reader, "spec.containers[].env[].valueFrom.secretKeyRef" => _, {
        name: "name" => reader.string("spec.containers[].env[].valueFrom.secretKeyRef.name")?,
        key: "key" => reader.string("spec.containers[].env[].valueFrom.secretKeyRef.key")?,
        optional: "optional" => reader.bool("spec.containers[].env[].valueFrom.secretKeyRef.optional")?,
    } else |_key| { plain = false; reader.skip()? });
    Ok(Some(EnvValue::Secret {
        name: name.unwrap_or_default(),
        key: key.unwrap_or_default(),
        plain: plain && optional != Some(true),
    }))
}

fn env_from_secret<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>> {
    fields!(reader, "spec.containers[].envFrom[]" => _, {
        secret: "secretRef" => reference(reader, "spec.containers[].envFrom[].secretRef")?,
    });
    Ok(secret)
}

fn is_privileged(reader: &mut Reader<'_>) -> Result<bool> {
    if reader.null()? {
        return Ok(false);
    }
    fields!(reader, "spec.containers[].securityContext" => _, {
        privileged: "privileged" => reader.bool("spec.containers[].securityContext.privileged")?,
    });
    Ok(privileged == Some(true))
}

/// The `name` of a reference to another object.
pub(super) fn reference<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<Option<Text<'a>>> {
    if reader.null()? {
        return Ok(None);
    }
    fields!(reader, what => _, { name: "name" => reader.string(what)?, });
    Ok(name)
}

impl<'a> Mount<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        reader.kind()?;
        let start = reader.position();
        let mut more = false;
        fields!(reader, "spec.containers[].volumeMounts[]" => _, {
            volume: "name" => reader.string("spec.containers[].volumeMounts[].name")?,
            path: "mountPath" => reader.string("spec.containers[].volumeMounts[].mountPath")?,
            read_only: "readOnly" => reader.bool("spec.containers[].volumeMounts[].readOnly")?,
            sub_path: "subPath" => reader.string("spec.containers[].volumeMounts[].subPath")?,
            sub_path_expr: "subPathExpr" => reader.string("spec.containers[].volumeMounts[].subPathExpr")?,
        } else |_key| { more = true; reader.skip()? });
        let given = |field: Option<Text<'a>>| field.is_some_and(|text| !text.is_empty());
        Ok(Self {
            range: start..reader.position(),
            volume: volume.unwrap_or_default(),
            path: path.unwrap_or_default(),
            read_only: read_only.unwrap_or_default(),
            sub_path: given(sub_path) | given(sub_path_expr),
            more,
        })
    }
}
