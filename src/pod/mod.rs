//! What the policy reads of a Pod, and where in the text it stands.

mod container;
mod listed;
mod metadata;
mod volume;

pub use container::{Container, EnvValue, EnvVar, Mount, Section};
pub use listed::Listed;
pub use metadata::{MapAt, MapPlace, Metadata};
pub use volume::{Projection, SecretItems, SecretVolume, Source, Volume};

use crate::json::{Kind, ObjectAt, Raw, Reader, Result, Slot, Text, Unreadable, fields};
use std::ops::Range;

/// A Pod without its lists: enough to tell who it is. Most pods are nobody that a rule concerns, and their lists are
/// never read.
#[derive(Debug, Default)]
pub struct Outline<'a> {
    /// The text that it was read from, in which all positions count.
    pub text: &'a str,
    /// The bytes of the object.
    pub range: Range<usize>,
    /// The fields that lead to a pod template in the object, each with a dot behind it; empty for a Pod.
    pub prefix: &'static str,
    /// The text of the pod template; empty for a Pod.
    pub template: &'a str,
    /// `apiVersion`
    pub api_version: Option<Text<'a>>,
    /// `kind`
    pub kind: Option<Text<'a>>,
    /// Name, labels, annotations; of a template the labels and annotations, and the name of the object that carries it.
    pub metadata: Metadata<'a>,
    /// The spec's own fields.
    pub spec: Spec<'a>,
}

/// A PodSpec without its lists.
#[derive(Debug, Default)]
pub struct Spec<'a> {
    /// Whether there is a spec at all. The API server refuses a Pod without one.
    pub present: bool,
    /// Where keys can be added.
    pub at: ObjectAt,
    /// `automountServiceAccountToken`, and where its value stands.
    pub automount: Option<(Option<bool>, Range<usize>)>,
    /// `shareProcessNamespace`
    pub share_process_namespace: Option<bool>,
    /// `hostPID`
    pub host_pid: bool,
    /// `hostNetwork`
    pub host_network: bool,
    service_account_name: Option<Text<'a>>,
    service_account: Option<Text<'a>>,
    init_containers: Option<Raw<'a>>,
    containers: Option<Raw<'a>>,
    ephemeral_containers: Option<Raw<'a>>,
    volumes: Option<Raw<'a>>,
}

/// Where an object of some kind carries a pod template.
#[derive(Debug, Clone, Copy)]
pub struct Carrier {
    path: &'static [&'static str],
    prefix: &'static str,
}

impl Carrier {
    /// Where a kind carries its pod template, if it does: the kinds of Kubernetes itself.
    #[must_use]
    pub fn of(group: &str, version: &str, kind: &str) -> Option<Self> {
        let spec = Self { path: &["spec", "template"], prefix: "spec.template." };
        match (group, version, kind) {
            ("", "v1", "PodTemplate") => Some(Self { path: &["template"], prefix: "template." }),
            ("", "v1", "ReplicationController")
            | ("apps", "v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "v1", "Job") => Some(spec),
            ("batch", "v1", "CronJob") => Some(Self {
                path: &["spec", "jobTemplate", "spec", "template"],
                prefix: "spec.jobTemplate.spec.template.",
            }),
            _ => None,
        }
    }
}

/// Reads what the `path` leads to, a PodTemplateSpec.
fn read_template<'a>(reader: &mut Reader<'a>, path: &[&'static str]) -> Result<(Metadata<'a>, Spec<'a>)> {
    if reader.null()? {
        return Ok(Default::default());
    }
    let Some((step, rest)) = path.split_first() else {
        fields!(reader, "template" => _, {
            metadata: "metadata" => Metadata::read(reader)?,
            spec: "spec" => Spec::read(reader)?,
        });
        return Ok((metadata, spec));
    };
    let mut found = None;
    let mut fields = reader.object("request.object.spec")?;
    while let Some(key) = reader.key(&mut fields)? {
        if key != *step {
            reader.skip()?;
        } else if found.is_some() {
            return Err(reader.duplicate(step));
        } else {
            found = Some(read_template(reader, rest)?);
        }
    }
    Ok(found.unwrap_or_default())
}

impl<'a> Outline<'a> {
    /// Reads a Pod.
    ///
    /// # Errors
    /// When a field that the policy reads is not of the type that Kubernetes defines, or stands there twice.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self> {
        reader.kind()?;
        let start = reader.position();
        fields!(reader, "request.object" => _, {
            api_version: "apiVersion" => reader.string("apiVersion")?,
            kind: "kind" => reader.string("kind")?,
            metadata: "metadata" => Metadata::read(reader)?,
            spec: "spec" => Spec::read(reader)?,
        });
        Ok(Self {
            text: reader.text(),
            range: start..reader.position(),
            prefix: "",
            template: "",
            api_version,
            kind,
            metadata,
            spec,
        })
    }

    /// Reads the pod template of an object of any other kind that carries one.
    ///
    /// # Errors
    /// As for a Pod.
    pub fn read_template(reader: &mut Reader<'a>, carrier: Carrier) -> Result<Self> {
        reader.kind()?;
        let start = reader.position();
        let Carrier { path, prefix } = carrier;
        let (mut template, mut template_text) = (None, "");
        fields!(reader, "request.object" => _, {
            api_version: "apiVersion" => reader.string("apiVersion")?,
            kind: "kind" => reader.string("kind")?,
            owner: "metadata" => Metadata::read(reader)?,
        } else |key| match path.split_first() {
            Some((first, rest)) if key == *first => {
                if template.is_some() {
                    return Err(reader.duplicate(first));
                }
                let from = reader.position();
                template = Some(read_template(reader, rest)?);
                template_text = reader.text().get(from..reader.position()).unwrap_or_default();
            }
            _ => reader.skip().map(|_| ())?,
        });
        let (metadata, spec) = template.unwrap_or_default();
        let Metadata { name, generate_name, deleted, .. } = owner;
        let metadata = Metadata { name, generate_name, deleted, ..metadata };
        Ok(Self {
            text: reader.text(),
            range: start..reader.position(),
            prefix,
            template: template_text,
            api_version,
            kind,
            metadata,
            spec,
        })
    }

    /// Reads a ServiceAccount: what it says stands where a Pod's spec says it.
    ///
    /// # Errors
    /// As for a Pod.
    pub fn read_account(reader: &mut Reader<'a>) -> Result<Self> {
        reader.kind()?;
        let start = reader.position();
        fields!(reader, "request.object" => at, {
            api_version: "apiVersion" => reader.string("apiVersion")?,
            kind: "kind" => reader.string("kind")?,
            metadata: "metadata" => Metadata::read_all(reader)?,
            automount: "automountServiceAccountToken" => Some(automount_at(reader, "automountServiceAccountToken")?),
        });
        let (text, range) = (reader.text(), start..reader.position());
        let spec = Spec { present: true, at, automount, ..Spec::default() };
        Ok(Self { text, range, prefix: "", template: "", api_version, kind, metadata, spec })
    }

    /// Whether it is a template, of which pods are made later.
    #[must_use]
    pub fn is_template(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// `serviceAccountName`, else the deprecated `serviceAccount`, else `default`.
    #[must_use]
    pub fn service_account(&self) -> &str {
        let given = [&self.spec.service_account_name, &self.spec.service_account].into_iter().flatten();
        given.map(AsRef::as_ref).find(|name: &&str| !name.is_empty()).unwrap_or("default")
    }

    /// What `automountServiceAccountToken` says.
    #[must_use]
    pub fn automount(&self) -> Option<bool> {
        self.spec.automount.as_ref().and_then(|(value, _)| *value)
    }
}

impl<'a> Spec<'a> {
    /// Whether there is an ephemeral container.
    #[must_use]
    pub fn has_ephemeral_containers(&self) -> bool {
        self.ephemeral_containers.is_some_and(|raw| raw.text.contains('{'))
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        if reader.null()? {
            return Ok(Self::default());
        }
        fields!(reader, "spec" => at, {
            service_account_name: "serviceAccountName" => reader.string("spec.serviceAccountName")?,
            service_account: "serviceAccount" => reader.string("spec.serviceAccount")?,
            automount: "automountServiceAccountToken" => Some(automount_at(reader, "spec.automountServiceAccountToken")?),
            share_process_namespace: "shareProcessNamespace" => reader.bool("spec.shareProcessNamespace")?,
            host_pid: "hostPID" => reader.bool("spec.hostPID")?,
            host_network: "hostNetwork" => reader.bool("spec.hostNetwork")?,
            init_containers: "initContainers" => list(reader, Section::Init.path())?,
            containers: "containers" => list(reader, Section::Normal.path())?,
            ephemeral_containers: "ephemeralContainers" => list(reader, Section::Ephemeral.path())?,
            volumes: "volumes" => list(reader, "spec.volumes")?,
        });
        Ok(Self {
            present: true,
            at,
            automount,
            share_process_namespace,
            host_pid: host_pid == Some(true),
            host_network: host_network == Some(true),
            service_account_name,
            service_account,
            init_containers,
            containers,
            ephemeral_containers,
            volumes,
        })
    }
}

/// What `automountServiceAccountToken` says, and where its value stands.
fn automount_at(reader: &mut Reader<'_>, what: &'static str) -> Result<(Option<bool>, Range<usize>)> {
    reader.kind()?;
    let start = reader.position();
    let value = reader.bool(what)?;
    Ok((value, start..reader.position()))
}

/// A list, passed over unread.
fn list<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<Option<Raw<'a>>> {
    match reader.kind()? {
        Kind::List | Kind::Null => reader.skip().map(Some),
        _ => {
            reader.skip()?;
            Err(Box::new(Unreadable::Shape { field, expected: "a list" }))
        }
    }
}

/// A Pod: the parts that the rules look at.
#[derive(Debug, Default)]
pub struct Pod<'a> {
    /// All but the lists.
    pub outline: Outline<'a>,
    /// Init containers, then containers, then ephemeral ones, as [`Container::section`] tells.
    pub containers: Vec<Container<'a>>,
    /// Where `volumes` stands.
    pub volumes_slot: Slot,
    /// `volumes`
    pub volumes: Vec<Volume<'a>>,
}

impl<'a> Pod<'a> {
    /// Reads the lists of a Pod.
    ///
    /// # Errors
    /// When a field that the policy reads is not of the type that Kubernetes defines, or stands there twice.
    pub fn read(outline: Outline<'a>) -> Result<Self> {
        let reader = |raw: Option<Raw<'a>>| raw.map(|raw| Reader::at(outline.text, raw.at));
        let spec = &outline.spec;
        let mut containers = Vec::new();
        for (raw, section) in [
            (spec.init_containers, Section::Init),
            (spec.containers, Section::Normal),
            (spec.ephemeral_containers, Section::Ephemeral),
        ] {
            if let Some(mut reader) = reader(raw) {
                containers.append(&mut Container::list(&mut reader, section)?.items);
            }
        }
        let volumes = match reader(spec.volumes) {
            Some(mut reader) => Listed::read(&mut reader, "spec.volumes", |r, _| Volume::read(r))?,
            None => Listed::default(),
        };
        Ok(Self { outline, containers, volumes_slot: volumes.slot, volumes: volumes.items })
    }

    /// A Pod whose lists nobody will ask for.
    #[must_use]
    pub fn unread(outline: Outline<'a>) -> Self {
        Self { outline, ..Self::default() }
    }

    /// Name, labels, annotations.
    #[must_use]
    pub fn metadata(&self) -> &Metadata<'a> {
        &self.outline.metadata
    }

    /// The volume of that name, and its index.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<(usize, &Volume<'a>)> {
        self.volumes.iter().enumerate().find(|(_, volume)| volume.name == name)
    }

    /// The container's name.
    #[must_use]
    pub fn container_name(&self, index: usize) -> Option<&Text<'a>> {
        self.containers.get(index).map(|container| &container.name)
    }
}
