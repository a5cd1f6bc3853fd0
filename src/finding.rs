//! Findings: what is wrong, where, and how to mend it. One closed set, each with an id that documentation can name.

use crate::json::Text;
use crate::names::shown;
use crate::pod::Pod;
use crate::rules::Rule;
use crate::settings::problems::list;
use std::fmt::Write;

/// A rule's finding about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The rule.
    pub rule: Rule,
    /// The field that it is about.
    pub place: Place<'a>,
    /// What is wrong.
    pub problem: Problem<'a>,
}

/// A field of the pod. Containers are indices of [`Pod::containers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place<'a> {
    /// A field of the spec that stands once.
    Spec(&'static str),
    /// An annotation.
    Annotation(Text<'a>),
    /// A volume, by index.
    Volume(usize),
    /// A container.
    Container(usize),
    /// A container's mount, by index.
    Mount(usize, usize),
    /// A container's env entry, by index.
    Env(usize, usize),
    /// A container's `envFrom` entry, by index.
    EnvFrom(usize, usize),
    /// `targetContainerName` of an ephemeral container.
    Target(usize),
}

/// What makes a volume an API credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// A projected token for the API server.
    Token,
    /// A projected token for an audience that is not known to be another service's.
    Audience(Text<'a>),
    /// A pod certificate.
    Certificate,
    /// A Secret of `tokenMounts.tokenSecrets`.
    Secret(Text<'a>),
}

/// What can be wrong. User input in the fields is shown through [`shown`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem<'a> {
    /// An annotation of the policy's own that the policy did not write.
    ForgedAnnotation,
    /// A mount that somebody declared gives a token to a container that may hold none.
    DeclaredToken(Text<'a>, Bearer<'a>),
    /// An env variable gives it.
    TokenEnv(Text<'a>),
    /// An ephemeral container enters the processes of a holder.
    HolderTargeted(Text<'a>),
    /// All containers see the processes, and through them the files, of a holder.
    SharedProcesses(Text<'a>),
    /// A credential that the pod may not use, or that there is not. Shown only if it can be a name.
    NotAllowed(Option<Text<'a>>, Vec<Text<'a>>),
    /// An annotation's value is none that it can have: why.
    BadAnnotation(&'static str),
    /// A container that an annotation names and the pod lacks.
    UnknownContainer(Option<Text<'a>>, Vec<Text<'a>>),
    /// No container is left to inject into.
    NoContainer,
    /// A volume of the name that a credential (or the token volume) needs, made of something else.
    VolumeTaken(String, String),
    /// A mount where another one is needed: its path, the path that is needed, and for what.
    MountTaken(Text<'a>, String, String),
    /// An env variable that is set to something else, and what needs it.
    EnvTaken(Text<'a>, String),
    /// Two credentials need the same entry of a container: what, and both.
    TwoCredentials(String, String, String),
    /// The API server mounted the token into a container that may hold none.
    InjectedToken(Text<'a>),
    /// A holder asks for a longer validity than allowed: volume, seconds, limit.
    LongToken(Text<'a>, i64, i64),
    /// A holder mounts no token of its own, or the API server's, and is to get this volume.
    HolderLacksToken(String),
    /// `automountServiceAccountToken: true`
    AutomountTrue,
    /// `automountServiceAccountToken` does not say false.
    AutomountAbsent,
    /// A credential that the pod asks for and may have is not in it: its name, and the containers.
    NotInjected(String, Vec<String>),
}

impl Problem<'_> {
    /// The finding's id: stable, and unique among all rules.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::ForgedAnnotation => "forged-annotation",
            Self::DeclaredToken(..) => "declared-token",
            Self::TokenEnv(_) => "token-env",
            Self::HolderTargeted(_) => "holder-targeted",
            Self::SharedProcesses(_) => "shared-processes",
            Self::NotAllowed(..) => "not-allowed",
            Self::BadAnnotation(_) => "bad-annotation",
            Self::UnknownContainer(..) => "unknown-container",
            Self::NoContainer => "no-container",
            Self::VolumeTaken(..) => "volume-taken",
            Self::MountTaken(..) => "mount-taken",
            Self::EnvTaken(..) => "env-taken",
            Self::TwoCredentials(..) => "two-credentials",
            Self::InjectedToken(_) => "injected-token",
            Self::LongToken(..) => "long-token",
            Self::HolderLacksToken(_) => "holder-lacks-token",
            Self::AutomountTrue => "automount-true",
            Self::AutomountAbsent => "automount-absent",
            Self::NotInjected(..) => "not-injected",
        }
    }

    /// Worse problems have a lower rank: what opens the cluster, then what opens a credential, then what breaks a pod,
    /// then what would be mended.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::ForgedAnnotation => 0,
            Self::DeclaredToken(..) | Self::TokenEnv(_) => 1,
            Self::HolderTargeted(_) | Self::SharedProcesses(_) => 2,
            Self::NotAllowed(..) => 3,
            Self::BadAnnotation(_) | Self::UnknownContainer(..) | Self::NoContainer => 4,
            Self::VolumeTaken(..) | Self::MountTaken(..) | Self::EnvTaken(..) | Self::TwoCredentials(..) => 5,
            Self::InjectedToken(_) => 6,
            Self::LongToken(..) | Self::HolderLacksToken(_) => 7,
            Self::AutomountTrue | Self::AutomountAbsent => 8,
            Self::NotInjected(..) => 9,
        }
    }

    /// What the finding is about besides its place: two findings of the same id, container and subject are one.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::DeclaredToken(volume, _) | Self::InjectedToken(volume) | Self::LongToken(volume, ..) => {
                volume.to_string()
            }
            Self::TokenEnv(text) | Self::HolderTargeted(text) | Self::SharedProcesses(text) => text.to_string(),
            Self::NotAllowed(name, _) | Self::UnknownContainer(name, _) => {
                name.as_deref().unwrap_or_default().to_owned()
            }
            Self::VolumeTaken(name, _) | Self::HolderLacksToken(name) | Self::NotInjected(name, _) => name.clone(),
            Self::MountTaken(_, path, _) => path.clone(),
            Self::EnvTaken(name, _) => name.to_string(),
            Self::TwoCredentials(what, ..) => what.clone(),
            Self::BadAnnotation(why) => (*why).to_owned(),
            Self::ForgedAnnotation | Self::NoContainer | Self::AutomountTrue | Self::AutomountAbsent => String::new(),
        }
    }

    /// What is wrong, and how to mend it.
    fn tell(&self) -> (String, &'static str) {
        let names = |names: &[Text<'_>]| {
            let shown: Vec<&str> = names.iter().take(20).map(|name| shown(name)).collect();
            match (shown.len(), names.len() - shown.len()) {
                (0, _) => String::from("none"),
                (_, 0) => list(&shown),
                (_, more) => format!("{} and {more} more", list(&shown)),
            }
        };
        let shown_or = |name: &Option<Text<'_>>| match name {
            Some(name) => format!("`{}`", shown(name)),
            None => String::from("a text that is no name (not shown)"),
        };
        match self {
            Self::ForgedAnnotation => (
                String::from("belongs to the policy and was written, changed or removed by somebody else"),
                "leave the annotation as the policy wrote it; remove it from pods that are made anew",
            ),
            Self::DeclaredToken(volume, bearer) => {
                let (what, mend) = match bearer {
                    Bearer::Token => (String::from("a projected token for the API server"), NO_MOUNT),
                    Bearer::Audience(audience) => (
                        format!(
                            "a projected token for audience `{}`, which is not known to be another service's",
                            shown(audience)
                        ),
                        "remove the mount; or, if the audience is another service's, have it listed under `tokenMounts.audiences.allowed`",
                    ),
                    Bearer::Certificate => (String::from("a pod certificate"), NO_MOUNT),
                    Bearer::Secret(secret) => {
                        (format!("Secret `{}`, which `tokenMounts.tokenSecrets` names", shown(secret)), NO_MOUNT)
                    }
                };
                (format!("mounts volume `{}`, which bears a Kubernetes API credential ({what})", shown(volume)), mend)
            }
            Self::TokenEnv(secret) => (
                format!("reads Secret `{}`, which `tokenMounts.tokenSecrets` names", shown(secret)),
                "remove the entry; a container that must call the Kubernetes API is listed under `tokenMounts.components`",
            ),
            Self::HolderTargeted(name) => (
                format!("enters the processes of container `{}`, which holds a Kubernetes API token", shown(name)),
                "target another container, or debug a copy of the pod (`kubectl debug --copy-to`)",
            ),
            Self::SharedProcesses(name) => (
                format!(
                    "lets every container read the files of container `{}`, which holds a Kubernetes API token",
                    shown(name)
                ),
                "remove `shareProcessNamespace: true`",
            ),
            Self::NotAllowed(name, may) => (
                format!(
                    "names {}, which is no credential that this pod may use; it may use: {}",
                    shown_or(name),
                    names(may)
                ),
                "name one of these, or have the pod's namespace, ServiceAccount and creator added to the credential's `allow`",
            ),
            Self::BadAnnotation(why) => {
                ((*why).to_owned(), "write credential names as the operator gave them, or remove the annotation")
            }
            Self::UnknownContainer(name, has) => (
                format!("names {}, which is no container of this pod; it has: {}", shown_or(name), names(has)),
                "name one of these, or remove the annotation: the container `base` is the default",
            ),
            Self::NoContainer => (
                String::from("asks for a credential, and every container is one that is skipped"),
                "name the container in the annotation `airflow-pod-identity/containers`",
            ),
            Self::VolumeTaken(volume, origin) => (
                format!("volume `{}` is made of something else than what {origin} needs", shown(volume)),
                "rename or remove the pod's own volume",
            ),
            Self::MountTaken(path, needed, origin) => (
                format!(
                    "the mount at `{}` takes the place of the one at `{}` that {origin} needs",
                    shown(path),
                    shown(needed)
                ),
                "remove the pod's own mount or mount it elsewhere",
            ),
            Self::EnvTaken(name, origin) => (
                format!("the pod sets the env variable `{}` itself, and {origin} needs it set otherwise", shown(name)),
                "remove the variable from the pod, or remove the annotation that asks for the credential",
            ),
            Self::TwoCredentials(what, one, other) => (
                format!("credentials `{}` and `{}` both need {what}", shown(one), shown(other)),
                "name one of them only, or inject them into different containers by different pods",
            ),
            Self::InjectedToken(volume) => (
                format!("holds the Kubernetes API token that the API server mounts (volume `{}`)", shown(volume)),
                "set `automountServiceAccountToken: false` in the pod; a container that needs the API mounts a projected token of its own",
            ),
            Self::LongToken(volume, seconds, max) => (
                format!(
                    "the token in volume `{}` is valid for {seconds} seconds, more than the {max} of `tokenMounts.maxExpirationSeconds`",
                    shown(volume)
                ),
                "lower its `expirationSeconds`",
            ),
            Self::HolderLacksToken(volume) => (
                format!(
                    "is to mount its Kubernetes API token from volume `{}` (`tokenMounts.serviceAccountTokenVolume`) and does not",
                    shown(volume)
                ),
                "mount a projected token of its own here, and set `automountServiceAccountToken: false` in the pod",
            ),
            Self::AutomountTrue => (
                String::from("asks the API server to mount its token into every container"),
                "set `automountServiceAccountToken: false`",
            ),
            Self::AutomountAbsent => (
                String::from(
                    "does not say `automountServiceAccountToken: false`, which `tokenMounts.requireAutomountFalse` asks for",
                ),
                "set `automountServiceAccountToken: false`",
            ),
            Self::NotInjected(name, containers) => {
                let containers: Vec<&str> = containers.iter().map(|name| shown(name)).collect();
                (
                    format!("credential `{}` is not, or not wholly, in {}", shown(name), list(&containers)),
                    "make the pod anew while the mutating policy runs",
                )
            }
        }
    }
}

const NO_MOUNT: &str =
    "remove the mount; a container that must call the Kubernetes API is listed under `tokenMounts.components`";

impl Place<'_> {
    /// The container that the field belongs to.
    #[must_use]
    pub fn container(&self) -> Option<usize> {
        match self {
            Self::Container(container)
            | Self::Mount(container, _)
            | Self::Env(container, _)
            | Self::EnvFrom(container, _)
            | Self::Target(container) => Some(*container),
            Self::Spec(_) | Self::Annotation(_) | Self::Volume(_) => None,
        }
    }

    fn path(&self, pod: &Pod<'_>) -> String {
        let container = |index: usize| {
            let found = pod.containers.get(index);
            found.map_or_else(String::new, |container| format!("{}[{}]", container.section.path(), container.index))
        };
        match self {
            Self::Spec(field) => format!("spec.{field}"),
            Self::Annotation(key) => format!("metadata.annotations[{}]", shown(key)),
            Self::Volume(index) => format!("spec.volumes[{index}]"),
            Self::Container(index) => container(*index),
            Self::Mount(index, mount) => format!("{}.volumeMounts[{mount}]", container(*index)),
            Self::Env(index, env) => format!("{}.env[{env}]", container(*index)),
            Self::EnvFrom(index, entry) => format!("{}.envFrom[{entry}]", container(*index)),
            Self::Target(index) => format!("{}.targetContainerName", container(*index)),
        }
    }
}

impl Finding<'_> {
    /// Rule, finding id, field path, container, what is wrong and how to mend it.
    #[must_use]
    pub fn render(&self, pod: &Pod<'_>) -> String {
        let mut text = format!("{}/{}: {}", self.rule.id(), self.problem.id(), self.place.path(pod));
        if let Some(container) = self.place.container().and_then(|index| pod.containers.get(index)) {
            // Writing to a string does not fail.
            let _ = write!(text, " ({} `{}`)", container.section.noun(), shown(&container.name));
        }
        let (what, mend) = self.problem.tell();
        let _ = write!(text, ": {what}; to mend it, {mend}");
        text
    }

    /// The finding in a word or two, for audit annotations.
    #[must_use]
    pub fn brief(&self, pod: &Pod<'_>) -> String {
        format!("{}/{} {}", self.rule.id(), self.problem.id(), self.place.path(pod))
    }

    /// What makes it the same finding in another state of the object: never its text or an index.
    #[must_use]
    pub fn key(&self, pod: &Pod<'_>) -> (Rule, &'static str, String, String) {
        let container = match &self.place {
            Place::Annotation(key) => key.to_string(),
            place => {
                let container = place.container().and_then(|index| pod.containers.get(index));
                container
                    .map_or_else(String::new, |container| format!("{}/{}", container.section.noun(), container.name))
            }
        };
        (self.rule, self.problem.id(), container, self.problem.subject())
    }
}
