//! Findings: what is wrong, where, and how to mend it. One closed set, each with an id that documentation can name.

use crate::json::Text;
use crate::names::{NOT_SHOWN, is_dns_label, shown, shown_label};
use crate::pod::{Pod, Section};
use crate::rules::Rule;
use crate::rules::rbac::Lacking;
use crate::settings::problems::list;
use std::borrow::Cow;
use std::rc::Rc;

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
    /// A field of the object that stands once.
    Field(&'static str),
    /// The labels.
    Labels,
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
    /// A projected token for an audience of `tokenMounts.audiences.api`.
    ApiAudience(Text<'a>),
    /// A projected token for an audience that is not known to be another service's.
    Audience(Text<'a>),
    /// A pod certificate.
    Certificate,
    /// A Secret of `tokenMounts.tokenSecrets`.
    Secret(Text<'a>),
}

/// What makes two findings the same: rule, finding id, container and subject.
pub type Key = (Rule, &'static str, String, String);

/// Names of credentials, shared by the findings of a pod.
pub type Names = Rc<Vec<String>>;

/// What can be wrong. User input in the fields is shown through [`shown`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem<'a> {
    /// An annotation of the policy's own that the policy did not write.
    ForgedAnnotation,
    /// A mount that somebody declared gives a token to a container that may hold none.
    DeclaredToken(Text<'a>, Bearer<'a>),
    /// An env variable gives it.
    TokenEnv(Text<'a>),
    /// A token of a ServiceAccount is written out: the variable's or annotation's name.
    LiteralToken(Text<'a>),
    /// The pod is in a namespace of the node's: the field.
    HostNamespace(&'static str),
    /// A container is privileged: its name.
    Privileged(Text<'a>),
    /// A path of the node that opens the cluster: volume, path, what is there.
    NodePath(Text<'a>, Text<'a>, &'static str),
    /// A ServiceAccount says otherwise than it should: what it says, and what it should.
    AccountAutomount(Option<bool>, bool),
    /// A ServiceAccount lacks a role that was given to it: annotation, value, and whether it has another.
    RoleLacking(String, String, bool),
    /// A ServiceAccount lacks the label that goes with its role: key and value.
    LabelLacking(&'static str, &'static str),
    /// A ServiceAccount has an identity that nobody granted: annotation and value.
    UngrantedIdentity(Text<'a>, Text<'a>),
    /// Rights are lacking, and a 403 would follow.
    LacksAccess(Box<Lacking>),
    /// The pod of an operator that names no ServiceAccount.
    DefaultAccount,
    /// An ephemeral container enters the processes of a holder.
    HolderTargeted(Text<'a>),
    /// A launcher's template wears the labels of a component, whose name this is.
    SpoofedTemplate(String),
    /// A protected Secret is referenced by a pod that may not: the Secret, and the credentials that the pod may use.
    ProtectedSecret(Text<'a>, Names),
    /// A task pod's own token for an audience that a credential uses: volume and audience.
    OwnToken(Text<'a>, Text<'a>),
    /// Text of somebody else's is mounted where Google's libraries look for the policy's: the volume.
    ForeignAccount(Text<'a>),
    /// The Secret that a granted credential reads is not there.
    SecretMissing {
        /// The credential.
        credential: String,
        /// The Secret.
        secret: String,
        /// The command that makes it.
        line: String,
    },
    /// The pod's ServiceAccount is not there, or lacks the role of a granted credential or of its component.
    AccountLacksRole {
        /// The ServiceAccount.
        account: String,
        /// Its namespace.
        namespace: String,
        /// The annotation that it lacks.
        annotation: String,
        /// The value that it should have.
        value: String,
        /// Whether it is there.
        there: bool,
    },
    /// An ephemeral container mounts the volume of an injected credential.
    CredentialMounted(Text<'a>),
    /// An ephemeral container reads the Secret of an injected credential.
    CredentialRead(Text<'a>),
    /// An ephemeral container enters the processes of a container that holds an injected credential.
    GrantedTargeted(Text<'a>),
    /// All containers see the processes, and through them the files, of a holder.
    SharedProcesses(Text<'a>),
    /// A credential that the pod may not use, or that there is not. Shown only if it can be a name.
    NotAllowed(Text<'a>, Names),
    /// An annotation's value is none that it can have: why, and the credentials that it could name.
    BadAnnotation(&'static str, Option<Names>),
    /// A container that an annotation names and the pod lacks.
    UnknownContainer(Text<'a>),
    /// No container is left to inject into.
    NoContainer,
    /// A volume of the name that a credential (or the token volume) needs, made of something else.
    VolumeTaken(String, String),
    /// A mount of a volume that the pod lacks and that is to be added for another container: its name, and for what.
    DanglingMount(String, String),
    /// A mount where another one is needed: its path, the path that is needed, and for what.
    MountTaken(Text<'a>, String, String),
    /// An env variable that is set to something else, and what needs it.
    EnvTaken(Text<'a>, String),
    /// An env variable of the pod's that would be used instead of the credential.
    Shadowed(Text<'a>, String),
    /// The pod sets one of two env variables itself and lacks the other: both, and what needs them.
    HalfSet(&'static str, &'static str, String),
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
            Self::LiteralToken(_) => "literal-token",
            Self::HostNamespace(_) => "host-namespace",
            Self::Privileged(_) => "privileged",
            Self::NodePath(..) => "node-path",
            Self::AccountAutomount(..) => "account-automount",
            Self::DefaultAccount => "default-account",
            Self::RoleLacking(..) => "role-lacking",
            Self::LabelLacking(..) => "label-lacking",
            Self::UngrantedIdentity(..) => "ungranted-identity",
            Self::LacksAccess(_) => "lacks-access",
            Self::SpoofedTemplate(_) => "spoofed-template",
            Self::ProtectedSecret(..) => "protected-secret",
            Self::OwnToken(..) => "own-token",
            Self::ForeignAccount(_) => "foreign-account",
            Self::SecretMissing { .. } => "secret-missing",
            Self::AccountLacksRole { .. } => "account-lacks-role",
            Self::Shadowed(..) => "shadowed",
            Self::HalfSet(..) => "half-set",
            Self::CredentialMounted(..) => "credential-mounted",
            Self::CredentialRead(_) => "credential-read",
            Self::GrantedTargeted(..) => "granted-targeted",
            Self::SharedProcesses(_) => "shared-processes",
            Self::NotAllowed(..) => "not-allowed",
            Self::BadAnnotation(..) => "bad-annotation",
            Self::UnknownContainer(_) => "unknown-container",
            Self::NoContainer => "no-container",
            Self::VolumeTaken(..) => "volume-taken",
            Self::DanglingMount(..) => "dangling-mount",
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
            Self::ForgedAnnotation | Self::SpoofedTemplate(_) | Self::ForeignAccount(_) => 0,
            Self::ProtectedSecret(..) => 2,
            Self::LiteralToken(_) | Self::NodePath(..) => 1,
            Self::HostNamespace(_) | Self::Privileged(_) => 2,
            Self::UngrantedIdentity(..) => 1,
            Self::DefaultAccount | Self::LacksAccess(_) => 5,
            Self::RoleLacking(..) | Self::LabelLacking(..) => 7,
            Self::AccountAutomount(..) => 8,
            Self::DeclaredToken(..) | Self::TokenEnv(_) | Self::DanglingMount(..) => 1,
            Self::HolderTargeted(_) | Self::SharedProcesses(_) => 2,
            Self::CredentialMounted(..) | Self::CredentialRead(_) | Self::GrantedTargeted(..) => 2,
            Self::NotAllowed(..) => 3,
            Self::BadAnnotation(..) | Self::UnknownContainer(_) | Self::NoContainer => 4,
            Self::VolumeTaken(..) | Self::MountTaken(..) | Self::EnvTaken(..) | Self::TwoCredentials(..) => 5,
            Self::Shadowed(..) | Self::HalfSet(..) | Self::SecretMissing { .. } | Self::AccountLacksRole { .. } => 5,
            Self::OwnToken(..) => 6,
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
            Self::LiteralToken(text) | Self::Privileged(text) => text.to_string(),
            Self::NodePath(volume, path, _) => format!("{volume}/{path}"),
            Self::HostNamespace(field) => (*field).to_owned(),
            Self::AccountAutomount(..) | Self::DefaultAccount => String::new(),
            Self::RoleLacking(annotation, ..) => annotation.clone(),
            Self::LabelLacking(key, _) => (*key).to_owned(),
            // Another value is another identity.
            Self::UngrantedIdentity(key, value) => format!("{key}={value}"),
            Self::LacksAccess(lacking) => {
                format!("{}/{} {} {}", lacking.home, lacking.account, lacking.namespace, lacking.rule())
            }
            Self::SpoofedTemplate(text) => text.clone(),
            Self::ProtectedSecret(text, _) | Self::ForeignAccount(text) => text.to_string(),
            Self::OwnToken(volume, audience) => format!("{volume}/{audience}"),
            Self::SecretMissing { credential, .. } => credential.clone(),
            Self::AccountLacksRole { account, annotation, .. } => format!("{account}/{annotation}"),
            Self::Shadowed(name, _) => name.to_string(),
            Self::HalfSet(_, unset, _) => (*unset).to_owned(),
            Self::CredentialMounted(text) | Self::CredentialRead(text) | Self::GrantedTargeted(text) => {
                text.to_string()
            }
            Self::TokenEnv(text) | Self::HolderTargeted(text) | Self::SharedProcesses(text) => text.to_string(),
            Self::NotAllowed(name, _) | Self::UnknownContainer(name) => name.to_string(),
            Self::VolumeTaken(name, _)
            | Self::DanglingMount(name, _)
            | Self::HolderLacksToken(name)
            | Self::NotInjected(name, _) => name.clone(),
            Self::MountTaken(_, path, _) => path.clone(),
            Self::EnvTaken(name, _) => name.to_string(),
            Self::TwoCredentials(what, ..) => what.clone(),
            Self::BadAnnotation(why, _) => (*why).to_owned(),
            Self::ForgedAnnotation | Self::NoContainer | Self::AutomountTrue | Self::AutomountAbsent => String::new(),
        }
    }

    /// Whether one of the findings says the same already: of two credentials that are at odds one is enough.
    #[must_use]
    pub fn is_told_by(&self, findings: &[Finding<'_>]) -> bool {
        let Self::TwoCredentials(_, one, other) = self else { return false };
        findings.iter().any(|finding| match &finding.problem {
            Problem::TwoCredentials(_, a, b) => (a == one && b == other) || (a == other && b == one),
            _ => false,
        })
    }

    /// What is wrong, and how to mend it.
    fn tell(&self, pod: &Pod<'_>) -> (String, Cow<'static, str>) {
        let (what, mend) = match self {
            Self::SecretMissing { credential, secret, line } => {
                let what = format!(
                    "credential `{}` reads Secret `{}`, which the pod's namespace lacks",
                    shown_label(credential),
                    shown(secret)
                );
                return (what, Cow::Owned(format!("make it: `{line}`")));
            }
            Self::AccountLacksRole { account, namespace, annotation, value, there } => {
                let (account, namespace) = (shown(account), shown(namespace));
                let line = format!(
                    "kubectl annotate serviceaccount {account} --namespace {namespace} --overwrite {annotation}={value}"
                );
                return if *there {
                    let what = format!(
                        "ServiceAccount `{account}` of namespace `{namespace}` is not annotated with `{annotation}: {value}`, which this pod needs"
                    );
                    (
                        what,
                        Cow::Owned(format!(
                            "annotate it: `{line}`; or run the pod as a ServiceAccount that has the annotation"
                        )),
                    )
                } else {
                    let what = format!("ServiceAccount `{account}` does not exist in namespace `{namespace}`");
                    let make = format!("kubectl create serviceaccount {account} --namespace {namespace}");
                    (what, Cow::Owned(format!("make it: `{make}`, with the annotation `{annotation}: {value}`")))
                };
            }
            Self::RoleLacking(annotation, value, other) => {
                let what = if *other { "has another value" } else { "is lacking" };
                let (annotation, value) = (shown(annotation), shown(value));
                return (
                    format!("{what}: `serviceAccounts.roles` gives the ServiceAccount a role of its own"),
                    Cow::Owned(format!("set the annotation: `{annotation}: {value}`")),
                );
            }
            Self::LacksAccess(lacking) => {
                let (home, account) = (shown(&lacking.home), shown(&lacking.account));
                let namespace = shown(&lacking.namespace);
                let when = match &lacking.component {
                    Some(component) => format!("component `{}` needs it", shown(component)),
                    None => String::from("it needs this to follow the task pod"),
                };
                let elsewhere = if lacking.home == lacking.namespace {
                    String::new()
                } else {
                    format!(", where Roles of `{home}` do not count")
                };
                let what = format!(
                    "ServiceAccount `{home}/{account}` may not {} {} in namespace `{namespace}`{elsewhere}: {when}, and would meet 403",
                    lacking.verbs.join(", "),
                    lacking.resource
                );
                return (
                    what,
                    Cow::Owned(format!("add to a Role of `{namespace}` that is bound to it: {}", lacking.rule())),
                );
            }
            other => other.tell_shortly(pod),
        };
        (what, Cow::Borrowed(mend))
    }

    fn tell_shortly(&self, pod: &Pod<'_>) -> (String, &'static str) {
        match self {
            // Told with the commands that mend them.
            Self::SecretMissing { .. }
            | Self::AccountLacksRole { .. }
            | Self::RoleLacking(..)
            | Self::LacksAccess(_) => (String::new(), ""),
            Self::LabelLacking(key, value) => (
                format!("lacks the label `{key}: \"{value}\"`, without which the Azure webhook passes it over"),
                "set the label",
            ),
            Self::UngrantedIdentity(..) => (
                String::from(
                    "gives the ServiceAccount a cloud identity that `serviceAccounts.roles` grants to nobody here",
                ),
                "remove the annotation, or have the role listed under `serviceAccounts.roles`",
            ),
            Self::LiteralToken(_) => (
                String::from("holds the token of a Kubernetes ServiceAccount, written out (not shown)"),
                "remove it, and revoke the token: delete the Secret or the pod that it belongs to",
            ),
            Self::HostNamespace(field) => (
                match *field {
                    "hostPID" => String::from(
                        "lets containers see every process of the node, and through them the files of every pod",
                    ),
                    _ => String::from(
                        "lets containers use the node's network, and through it the kubelet and the node's own cloud identity",
                    ),
                },
                if *field == "hostPID" { "remove `hostPID: true`" } else { "remove `hostNetwork: true`" },
            ),
            Self::Privileged(_) => (
                String::from("is privileged, and through the node gets at the tokens of every pod there"),
                "remove `securityContext.privileged: true`",
            ),
            Self::NodePath(volume, path, what) => (
                format!("volume `{}` is `{}` of the node: {what}", shown(volume), shown(path)),
                "remove the volume; a path that pods need is listed under `nodeAccess.allowedHostPaths`",
            ),
            Self::AccountAutomount(says, wanted) => (
                match (says, wanted) {
                    (None, _) => String::from(
                        "is absent, so the API server mounts the ServiceAccount's token into every pod that does not say otherwise",
                    ),
                    (Some(true), _) => String::from(
                        "lets the API server mount the ServiceAccount's token into every pod that does not say otherwise",
                    ),
                    (Some(false), _) => {
                        String::from("is `false`, and `serviceAccounts.automountServiceAccountToken` asks for `true`")
                    }
                },
                if *wanted {
                    "set `automountServiceAccountToken: true`"
                } else {
                    "set `automountServiceAccountToken: false` (the Airflow chart: `serviceAccount.automountServiceAccountToken` of the component)"
                },
            ),
            Self::DefaultAccount => (
                String::from(
                    "an operator's pod runs as ServiceAccount `default`, which usually has no rights: what it asks of the Kubernetes API would be answered with 403 Forbidden",
                ),
                "name a ServiceAccount in the operator (`service_account_name=`), one whose rights and cloud roles the task may have",
            ),
            Self::SpoofedTemplate(claim) => (
                format!("wears the labels of component `{}` and comes from a launcher of task pods", shown(claim)),
                "remove the labels; a component's template comes from whoever deploys Airflow",
            ),
            Self::ProtectedSecret(secret, may) => (
                format!(
                    "names Secret `{}`, which is protected and not for this pod; credentials that it may use: {}",
                    shown(secret),
                    some(may)
                ),
                if may.is_empty() {
                    "remove the reference, or have the pod's namespace, ServiceAccount and requester added to the `allow` that guards the Secret"
                } else {
                    "remove the reference and name a credential in the annotation `airflow-pod-identity/credentials`, or have the pod's namespace, ServiceAccount and requester added to the `allow` that guards the Secret"
                },
            ),
            Self::OwnToken(volume, audience) => (
                format!(
                    "mounts volume `{}`, a token of the pod's own for audience `{}`, which a credential of the catalogue uses and which this container was not granted",
                    shown(volume),
                    shown(audience)
                ),
                "remove the volume and name the credential in the annotation `airflow-pod-identity/credentials`",
            ),
            Self::ForeignAccount(volume) => (
                format!(
                    "mounts volume `{}`, text that the policy did not write, where Google's libraries look for the policy's credentials",
                    shown(volume)
                ),
                "mount it neither at, above nor below `/var/run/secrets/gcp`",
            ),
            Self::Shadowed(name, origin) => (
                format!("the pod sets the env variable `{}`, which would be used instead of {origin}", shown(name)),
                "remove the variable from the pod, or remove the annotation that asks for the credential",
            ),
            Self::HalfSet(set, unset, origin) => (
                format!("the pod sets the env variable `{set}` itself and not `{unset}`, and {origin} needs both"),
                "remove the variable from the pod, or remove the annotation that asks for the credential",
            ),
            Self::ForgedAnnotation => (
                String::from(
                    "belongs to the policy and is not as the policy would write it: somebody else wrote, changed or removed it, or the credential changed since the pod was made",
                ),
                "on an update, leave the annotation as it is stored; else remove it and make the pod anew",
            ),
            Self::DeclaredToken(volume, bearer) => {
                let (what, mend) = match bearer {
                    Bearer::Token => (String::from("a projected token for the API server"), NO_MOUNT),
                    Bearer::ApiAudience(audience) => (
                        format!("a projected token for audience `{}`, one of the API server's", shown(audience)),
                        NO_MOUNT,
                    ),
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
                "remove the entry; a component's container that must call the Kubernetes API is listed under `tokenMounts.components`, a task's can't be",
            ),
            Self::HolderTargeted(name) => (
                format!("enters the processes of container `{}`, which holds a Kubernetes API token", shown(name)),
                "target another container; where processes are shared (`shareProcessNamespace`), add none",
            ),
            Self::CredentialMounted(volume) => (
                format!(
                    "mounts volume `{}` of an injected credential, which is not for ephemeral containers",
                    shown(volume)
                ),
                "remove the mount",
            ),
            Self::CredentialRead(secret) => (
                format!(
                    "reads Secret `{}` of an injected credential, which is not for ephemeral containers",
                    shown(secret)
                ),
                "remove the entry",
            ),
            Self::GrantedTargeted(container) => (
                format!("enters the processes of container `{}`, which holds an injected credential", shown(container)),
                "target another container; where processes are shared (`shareProcessNamespace`), add none",
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
                    called(name),
                    some(may)
                ),
                if may.is_empty() {
                    "have the pod's namespace, ServiceAccount and requester added to a credential's `allow`"
                } else {
                    "name one of these, or have the pod's namespace, ServiceAccount and requester added to the credential's `allow`"
                },
            ),
            Self::BadAnnotation(why, may) => (
                match may {
                    Some(may) => format!("{why}; this pod may use: {}", some(may)),
                    None => (*why).to_owned(),
                },
                if may.is_some() {
                    "write the names as the operator gave them, or remove the annotation"
                } else {
                    "write names of this pod's containers, separated by commas, or `*` alone; or remove the annotation"
                },
            ),
            Self::UnknownContainer(name) => {
                let containers = pod.containers.iter().filter(|container| container.section != Section::Ephemeral);
                let has: Vec<&str> = containers.map(|container| container.name.as_ref()).collect();
                (
                    format!("names {}, which is no container of this pod; it has: {}", called(name), some(&has)),
                    "name one of these, or remove the annotation: the container `base` is the default",
                )
            }
            Self::NoContainer => (
                String::from(
                    "a credential is asked for, and every container is one that `credentialInjection.skipContainers` skips",
                ),
                "name the container in the annotation `airflow-pod-identity/containers`",
            ),
            Self::VolumeTaken(volume, origin) => (
                format!("volume `{}` is made of something else than what {origin} needs", beside(volume, origin)),
                "rename or remove the pod's own volume",
            ),
            Self::DanglingMount(volume, origin) => (
                format!(
                    "mounts volume `{}`, which the pod lacks and which is to be added for {origin} alone",
                    beside(volume, origin)
                ),
                "remove the mount",
            ),
            Self::MountTaken(path, needed, origin) => (
                format!(
                    "the mount at `{}` stands where {origin} needs one at `{}` that is its own, `readOnly` and without `subPath`",
                    beside(path, origin),
                    beside(needed, origin)
                ),
                "remove the pod's own mount or mount it elsewhere",
            ),
            Self::EnvTaken(name, origin) => (
                format!("the pod sets the env variable `{}` itself, and {origin} needs it set otherwise", shown(name)),
                "remove the variable from the pod, or remove the annotation that asks for the credential",
            ),
            Self::TwoCredentials(what, one, other) => (
                format!("{one} and {other} {what}"),
                if [one, other].iter().any(|origin| origin.contains("serviceAccountTokenVolume")) {
                    "give `tokenMounts.serviceAccountTokenVolume` another `volumeName` or `mountPath`"
                } else {
                    "name one of them only"
                },
            ),
            Self::InjectedToken(volume) => (
                format!("mounts the injected Kubernetes API token (volume `{}`)", shown(volume)),
                "set `automountServiceAccountToken: false` in the pod; a container that may hold a token then mounts a projected one of its own",
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
                    "lacks the token volume `{}` that `tokenMounts.serviceAccountTokenVolume` prescribes",
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
                    format!("credential `{}` is not, or not wholly, in {}", shown_label(name), list(&containers)),
                    "make the pod anew while the mutating policy runs",
                )
            }
        }
    }
}

/// A name that a user wrote where a name was asked for.
fn called(name: &str) -> String {
    if is_dns_label(name) { format!("`{name}`") } else { String::from("a text that is no name (not shown)") }
}

/// Names, the first twenty of them.
fn some(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(20).map(|name| shown(name.as_ref())).collect();
    match (shown.len(), names.len() - shown.len()) {
        (0, _) => String::from("none"),
        (_, 0) => list(&shown),
        (_, more) => format!("{} and {more} more", list(&shown)),
    }
}

/// A volume or path that is called like a credential whose name is not shown is not shown either.
fn beside<'t>(text: &'t str, origin: &str) -> &'t str {
    if origin.contains(NOT_SHOWN) { NOT_SHOWN } else { shown(text) }
}

const NO_MOUNT: &str = "remove the mount; a component's container that must call the Kubernetes API is listed under `tokenMounts.components`, a task's can't be";

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
            Self::Spec(_) | Self::Field(_) | Self::Labels | Self::Annotation(_) | Self::Volume(_) => None,
        }
    }

    fn path(&self, pod: &Pod<'_>) -> String {
        [pod.outline.prefix, &self.path_in_pod(pod)].concat()
    }

    fn path_in_pod(&self, pod: &Pod<'_>) -> String {
        let entry = |list: &str, index: usize| [list, "[", &index.to_string(), "]"].concat();
        let container = |index: usize| {
            let found = pod.containers.get(index);
            found.map_or_else(String::new, |container| entry(container.section.path(), container.index))
        };
        match self {
            Self::Spec(field) => ["spec.", field].concat(),
            Self::Field(field) => (*field).to_owned(),
            Self::Labels => String::from("metadata.labels"),
            Self::Annotation(key) => ["metadata.annotations[", shown(key), "]"].concat(),
            Self::Volume(index) => entry("spec.volumes", *index),
            Self::Container(index) => container(*index),
            Self::Mount(index, mount) => entry(&(container(*index) + ".volumeMounts"), *mount),
            Self::Env(index, env) => entry(&(container(*index) + ".env"), *env),
            Self::EnvFrom(index, from) => entry(&(container(*index) + ".envFrom"), *from),
            Self::Target(index) => container(*index) + ".targetContainerName",
        }
    }
}

impl Finding<'_> {
    /// Rule, finding id, field path, container, what is wrong and how to mend it.
    #[must_use]
    pub fn render(&self, pod: &Pod<'_>) -> String {
        let place = self.place.path(pod);
        let container = self.place.container().and_then(|index| pod.containers.get(index));
        let container = container.map_or_else(String::new, |container| {
            [" (", container.section.noun(), " `", shown(&container.name), "`)"].concat()
        });
        let (what, mend) = self.problem.tell(pod);
        let (rule, id) = (self.rule.id(), self.problem.id());
        [rule, "/", id, ": ", &place, &container, ": ", &what, "; to mend it, ", &mend].concat()
    }

    /// The finding in texts of at most `room` characters, if that can be: in one, or what is wrong and how to mend it
    /// apart.
    #[must_use]
    pub fn render_within(&self, pod: &Pod<'_>, room: usize) -> Vec<String> {
        let whole = self.render(pod);
        if whole.chars().count() <= room {
            return vec![whole];
        }
        let mend = ["to mend ", &self.brief(pod), ", ", &self.problem.tell(pod).1].concat();
        match whole.split_once("; to mend it, ") {
            Some((wrong, _)) => vec![wrong.to_owned(), mend],
            None => vec![whole],
        }
    }

    /// The finding in a word or two, for audit annotations.
    #[must_use]
    pub fn brief(&self, pod: &Pod<'_>) -> String {
        [self.rule.id(), "/", self.problem.id(), " ", &self.place.path(pod)].concat()
    }

    /// What makes it the same finding in another state of the object: never its text or an index.
    #[must_use]
    pub fn key(&self, pod: &Pod<'_>) -> Key {
        let container = match &self.place {
            Place::Annotation(key) => key.to_string(),
            place => {
                let container = place.container().and_then(|index| pod.containers.get(index));
                container
                    .map_or_else(String::new, |container| [container.section.noun(), "/", &container.name].concat())
            }
        };
        (self.rule, self.problem.id(), container, self.problem.subject())
    }
}
