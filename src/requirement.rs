//! Requirements: the closed set of what a rule or a credential can ask of a pod. Each knows whether it is met, and how
//! to make it so. `validate` reads the first answer, `mutate` acts on the second.

use crate::finding::{Place, Problem};
use crate::json::{ObjectWriter, Text};
use crate::names::{clean_path, is_within, real_path};
use crate::plan::Changes;
use crate::pod::{EnvValue, EnvVar, Pod, Projection, SecretVolume, Source, Volume};

/// Something that must hold of a pod. Containers, mounts, volumes and sources are indices of the pod's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// There is a volume of this name, made of this.
    Volume {
        /// The volume's name.
        name: String,
        /// What it is made of.
        source: VolumeSource,
    },
    /// The container mounts the volume, read-only and whole.
    Mount {
        /// The container.
        container: usize,
        /// The volume's name.
        volume: String,
        /// The path, clean.
        path: String,
    },
    /// The container has the env variable with this value.
    Env {
        /// The container.
        container: usize,
        /// The variable's name.
        name: String,
        /// Where its value comes from.
        value: EnvSource,
    },
    /// The container has one of the env variables, whatever it says, or all of them with this literal value.
    EnvDefault {
        /// The container.
        container: usize,
        /// The variables' names.
        names: &'static [&'static str],
        /// Their value.
        value: String,
    },
    /// The container has none of the env variables: each would be used instead of the credential.
    Unshadowed {
        /// The container.
        container: usize,
        /// The variables' names.
        names: &'static [&'static str],
    },
    /// The pod itself sets all of the env variables or none: what sets one of them meant another identity.
    Whole {
        /// The container.
        container: usize,
        /// The variables' names.
        names: &'static [&'static str],
    },
    /// There is an annotation with this value: of a pod one of the policy's own, of a ServiceAccount a cloud role.
    Annotation {
        /// Its key.
        key: String,
        /// Its value; never a secret.
        value: String,
    },
    /// There is a label with this value.
    Label {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
    },
    /// The mount is gone.
    NoMount {
        /// The container.
        container: usize,
        /// The mount.
        mount: usize,
    },
    /// The volume is gone.
    NoVolume {
        /// The volume.
        volume: usize,
    },
    /// `automountServiceAccountToken` says so.
    Automount(bool),
    /// A projected token is asked for with this validity.
    Expiration {
        /// The volume.
        volume: usize,
        /// The source in it.
        source: usize,
        /// Seconds.
        seconds: i64,
    },
}

/// Where the value of an env variable comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvSource {
    /// It is written out; never a secret.
    Literal(String),
    /// A key of a Secret.
    Secret {
        /// The Secret's name.
        secret: String,
        /// The key.
        key: String,
    },
}

/// What a volume that the policy adds is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeSource {
    /// Keys of a Secret, as files.
    Secret {
        /// The Secret's name.
        secret: String,
        /// Keys and the files' paths; none: every key.
        items: Vec<(String, String)>,
    },
    /// A projected token for another service than the API server, and what goes with it.
    Projected(Vec<ProjectedSource>),
    /// The API server's own three sources: a token, the cluster's CA, the namespace.
    ApiAccess {
        /// The token's audience; `None`: the API server's.
        audience: Option<String>,
        /// The token's validity in seconds.
        expiration: i64,
    },
}

/// A source of a projected volume that the policy adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectedSource {
    /// A token of the pod's ServiceAccount.
    Token {
        /// Who takes it; never the API server.
        audience: String,
        /// Its validity in seconds.
        expiration: i64,
        /// The file.
        path: String,
    },
    /// An annotation of the pod.
    Annotation {
        /// Its key.
        key: String,
        /// The file.
        path: String,
    },
}

/// Whether a requirement is met.
#[derive(Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// It is.
    Met,
    /// It can be made so.
    Missing,
    /// Something else stands in its place.
    Taken(Place<'a>, Problem<'a>),
}

impl Requirement {
    /// A volume.
    #[must_use]
    pub fn volume(name: &str, source: VolumeSource) -> Self {
        Self::Volume { name: name.to_owned(), source }
    }

    /// A mount.
    #[must_use]
    pub fn mount(container: usize, volume: &str, path: &str) -> Self {
        Self::Mount { container, volume: volume.to_owned(), path: path.to_owned() }
    }

    /// An env variable whose value is written out.
    #[must_use]
    pub fn env(container: usize, name: &str, value: &str) -> Self {
        Self::Env { container, name: name.to_owned(), value: EnvSource::Literal(value.to_owned()) }
    }

    /// An env variable whose value is a key of a Secret.
    #[must_use]
    pub fn env_of_secret(container: usize, name: &str, secret: &str, key: &str) -> Self {
        let value = EnvSource::Secret { secret: secret.to_owned(), key: key.to_owned() };
        Self::Env { container, name: name.to_owned(), value }
    }

    /// Whether the requirement is met by the pod with the `changes` that are planned already. `origin` is what asks for
    /// it, as a message calls it.
    #[must_use]
    pub fn state<'a>(&self, pod: &Pod<'a>, changes: &Changes, origin: &str) -> State<'a> {
        match self {
            Self::Volume { name, source } => volume_state(pod, changes, name, source, origin),
            Self::Mount { container, volume, path } => mount_state(pod, changes, *container, volume, path, origin),
            Self::Env { container, name, value } => env_state(pod, changes, *container, name, value, origin),
            Self::EnvDefault { container, names, .. } => default_state(pod, changes, *container, names, origin),
            Self::Unshadowed { container, names } => shadow_state(pod, changes, *container, names, origin),
            Self::Whole { container, names } => whole_state(pod, *container, names, origin),
            // Another value is a finding of its own: see `rules::credentials::forged`.
            Self::Annotation { key, value } => met(pod.metadata().annotation(key) == Some(value.as_str())
                || changes.annotation(key) == Some(value.as_str())),
            Self::Label { key, value } => met(pod.metadata().label(key) == Some(value.as_str())),
            Self::NoMount { container, mount } => met(changes.is_mount_gone(*container, *mount)),
            Self::NoVolume { volume } => met(changes.is_volume_gone(*volume)),
            Self::Automount(value) => {
                met(pod.outline.automount() == Some(*value) || changes.sets_automount() == Some(*value))
            }
            Self::Expiration { volume, source, seconds } => {
                let limited = changes.limits(*volume, *source);
                let projected = pod.volumes.get(*volume).and_then(|volume| volume.projected.as_ref());
                let source = projected.and_then(|projected| projected.sources.get(*source));
                let found =
                    matches!(source, Some(Source::Token { expiration: Some((found, _)), .. }) if found == seconds);
                met(found || limited)
            }
        }
    }
}

fn met<'a>(met: bool) -> State<'a> {
    if met { State::Met } else { State::Missing }
}

fn volume_state<'a>(pod: &Pod<'a>, changes: &Changes, name: &str, source: &VolumeSource, origin: &str) -> State<'a> {
    if let Some((planned, by)) = changes.volume(name) {
        if planned == source {
            return State::Met;
        }
        return two_credentials(format!("both need a volume `{name}`"), by, origin, Place::Spec("volumes"));
    }
    match pod.volume(name) {
        Some((index, _)) if changes.is_volume_gone(index) => State::Missing,
        Some((_, volume)) if source.is(volume) => State::Met,
        Some((index, _)) => {
            State::Taken(Place::Volume(index), Problem::VolumeTaken(name.to_owned(), origin.to_owned()))
        }
        None => dangling(pod, name, origin).unwrap_or(State::Missing),
    }
}

/// A mount that waits for the volume: adding it would hand the volume to a container that nobody meant.
fn dangling<'a>(pod: &Pod<'a>, name: &str, origin: &str) -> Option<State<'a>> {
    let containers = pod.containers.iter().enumerate();
    let mut mounts = containers.flat_map(|(container, found)| {
        let waits = found.mounts.items.iter().position(|mount| mount.volume == name);
        waits.map(|mount| Place::Mount(container, mount))
    });
    mounts.next().map(|place| State::Taken(place, Problem::DanglingMount(name.to_owned(), origin.to_owned())))
}

fn mount_state<'a>(
    pod: &Pod<'a>,
    changes: &Changes,
    container: usize,
    volume: &str,
    path: &str,
    origin: &str,
) -> State<'a> {
    let Some(found) = pod.containers.get(container) else { return State::Missing };
    let mut state = State::Missing;
    let real = real_path(path);
    for (index, mount) in found.mounts.items.iter().enumerate() {
        if !is_within(&real_path(&mount.path), &real) || changes.is_mount_gone(container, index) {
            continue;
        }
        let same = mount.volume == volume
            && clean_path(&mount.path) == path
            && mount.read_only
            && !mount.sub_path
            && !mount.more;
        if same && state == State::Missing {
            state = State::Met;
        } else {
            let problem = Problem::MountTaken(mount.path.clone(), path.to_owned(), origin.to_owned());
            return State::Taken(Place::Mount(container, index), problem);
        }
    }
    for (mounted, at, by) in changes.mounts(container) {
        if at == path && mounted == volume {
            state = State::Met;
        } else if is_within(at, path) || is_within(path, at) {
            return two_credentials(format!("both need a mount at `{path}`"), by, origin, Place::Container(container));
        }
    }
    state
}

fn env_state<'a>(
    pod: &Pod<'a>,
    changes: &Changes,
    container: usize,
    name: &str,
    value: &EnvSource,
    origin: &str,
) -> State<'a> {
    if let Some(by) = changes.env_origin(container, name) {
        if by == origin {
            return State::Met;
        }
        return two_credentials(
            format!("both need the env variable `{name}`"),
            by,
            origin,
            Place::Container(container),
        );
    }
    if let Some(by) = changes.claimed_by(container, name).filter(|by| *by != origin) {
        return two_credentials(
            format!("both need the env variable `{name}`"),
            by,
            origin,
            Place::Container(container),
        );
    }
    if let Some(by) = changes.kept_clear_for(container, name) {
        return two_credentials(at_odds(name, origin, by), by, origin, Place::Container(container));
    }
    let Some(found) = pod.containers.get(container) else { return State::Missing };
    let mut same = found.env.items.iter().enumerate().filter(|(_, env)| env.name == name);
    match (same.next(), same.next()) {
        (None, _) => State::Missing,
        (Some((_, env)), None) if value.is(env) => State::Met,
        (Some((first, env)), second) => {
            let index = if value.is(env) { second.map_or(first, |(index, _)| index) } else { first };
            State::Taken(Place::Env(container, index), taken(env, origin))
        }
    }
}

/// What a user sets himself wins, whatever it is.
fn default_state<'a>(pod: &Pod<'a>, changes: &Changes, container: usize, names: &[&str], origin: &str) -> State<'a> {
    let Some(found) = pod.containers.get(container) else { return State::Missing };
    let claimed = names.iter().find_map(|name| Some((name, changes.claimed_by(container, name)?)));
    if let Some((name, by)) = claimed.filter(|(_, by)| *by != origin) {
        return two_credentials(
            format!("both need the env variable `{name}`"),
            by,
            origin,
            Place::Container(container),
        );
    }
    if found.env.items.iter().any(|env| names.contains(&env.name.as_ref())) {
        return State::Met;
    }
    let planned = names.iter().find_map(|name| Some((name, changes.env_origin(container, name)?)));
    match planned {
        None => State::Missing,
        Some((_, by)) if by == origin => State::Met,
        Some((name, by)) => {
            two_credentials(format!("both need the env variable `{name}`"), by, origin, Place::Container(container))
        }
    }
}

fn shadow_state<'a>(pod: &Pod<'a>, changes: &Changes, container: usize, names: &[&str], origin: &str) -> State<'a> {
    let Some(found) = pod.containers.get(container) else { return State::Met };
    let theirs = found.env.items.iter().position(|env| names.contains(&env.name.as_ref()));
    let planned = names.iter().find_map(|name| Some((*name, changes.env_origin(container, name)?)));
    // After an injection the variable stands in the pod: whose it is tells the plan alone.
    match (planned, theirs.and_then(|index| Some((index, found.env.items.get(index)?)))) {
        (Some((name, by)), _) if by != origin => {
            two_credentials(at_odds(name, by, origin), by, origin, Place::Container(container))
        }
        (_, Some((index, env))) => {
            let problem = Problem::Shadowed(env.name.clone(), origin.to_owned());
            State::Taken(Place::Env(container, index), problem)
        }
        _ => State::Met,
    }
}

fn whole_state<'a>(pod: &Pod<'a>, container: usize, names: &[&'static str], origin: &str) -> State<'a> {
    let Some(found) = pod.containers.get(container) else { return State::Met };
    let sets = |name: &&&str| found.env.items.iter().any(|env| env.name == **name);
    let (set, unset) = (names.iter().find(sets), names.iter().find(|name| !sets(name)));
    match (set, unset) {
        (Some(set), Some(unset)) => {
            State::Taken(Place::Container(container), Problem::HalfSet(set, unset, origin.to_owned()))
        }
        _ => State::Met,
    }
}

fn at_odds(variable: &str, used: &str, unused: &str) -> String {
    format!("can't be in one container: the env variable `{variable}` of {used} would be used instead of {unused}")
}

fn taken<'a>(env: &EnvVar<'a>, origin: &str) -> Problem<'a> {
    Problem::EnvTaken(env.name.clone(), origin.to_owned())
}

fn two_credentials<'a>(what: String, one: &str, other: &str, place: Place<'a>) -> State<'a> {
    State::Taken(place, Problem::TwoCredentials(what, one.to_owned(), other.to_owned()))
}

impl EnvSource {
    /// Whether an env entry says exactly this.
    #[must_use]
    pub fn is(&self, env: &EnvVar<'_>) -> bool {
        match (self, &env.value) {
            (Self::Literal(wanted), _) => env.is_literal(wanted),
            (Self::Secret { secret, key }, EnvValue::Secret { name, key: found, plain }) => {
                *plain && name == secret && found == key
            }
            (Self::Secret { .. }, _) => false,
        }
    }

    /// The JSON of an env entry.
    #[must_use]
    pub fn json(&self, name: &str) -> String {
        let entry = ObjectWriter::default().text("name", name);
        match self {
            Self::Literal(value) => entry.text("value", value).finish(),
            Self::Secret { secret, key } => {
                let reference = ObjectWriter::default().text("name", secret).text("key", key).finish();
                entry.raw("valueFrom", &ObjectWriter::default().raw("secretKeyRef", &reference).finish()).finish()
            }
        }
    }
}

impl ProjectedSource {
    /// A token for a service.
    #[must_use]
    pub fn token(audience: &str, expiration: i64, path: &str) -> Self {
        Self::Token { audience: audience.to_owned(), expiration, path: path.to_owned() }
    }

    fn is(&self, found: &Source<'_>) -> bool {
        match (self, found) {
            (
                Self::Token { audience, expiration, path },
                Source::Token { audience: for_whom, expiration: seconds, path: file, .. },
            ) => {
                for_whom == audience
                    && file == path
                    && seconds.as_ref().map_or(3600, |(seconds, _)| *seconds) == *expiration
            }
            (Self::Annotation { key, path }, Source::Downward(Some((field, file)))) => {
                file == path && field_of(key) == *field
            }
            _ => false,
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Token { audience, expiration, path } => {
                let token = ObjectWriter::default().text("audience", audience);
                let token = token.raw("expirationSeconds", &expiration.to_string()).text("path", path).finish();
                ObjectWriter::default().raw("serviceAccountToken", &token).finish()
            }
            Self::Annotation { key, path } => {
                let field = ObjectWriter::default().text("apiVersion", "v1").text("fieldPath", &field_of(key)).finish();
                let item = ObjectWriter::default().raw("fieldRef", &field).text("path", path).finish();
                let items = ObjectWriter::default().raw("items", &["[", &item, "]"].concat()).finish();
                ObjectWriter::default().raw("downwardAPI", &items).finish()
            }
        }
    }
}

/// The downward API's name of an annotation.
fn field_of(annotation: &str) -> String {
    format!("metadata.annotations['{annotation}']")
}

impl VolumeSource {
    /// Whether a volume is made of exactly this. What the API server fills in (modes of 0644) makes no difference.
    #[must_use]
    pub fn is(&self, volume: &Volume<'_>) -> bool {
        match (self, &volume.secret, &volume.projected) {
            _ if volume.more => false,
            (Self::Secret { secret, items }, Some(found), None) => is_secret(found, secret, items),
            (Self::Projected(sources), None, Some(found)) => {
                !found.more
                    && sources.len() == found.sources.len()
                    && sources.iter().zip(&found.sources).all(|(wanted, found)| wanted.is(found))
            }
            (Self::ApiAccess { audience, expiration }, None, Some(found)) => {
                api_access(found).is_some_and(|(found_audience, found_expiration)| {
                    found_audience == audience.as_deref().unwrap_or_default() && found_expiration == *expiration
                })
            }
            _ => false,
        }
    }

    /// The volume's JSON.
    #[must_use]
    pub fn json(&self, name: &str) -> String {
        let volume = ObjectWriter::default().text("name", name);
        match self {
            Self::Secret { secret, items } => {
                let items: Vec<String> = items
                    .iter()
                    .map(|(key, path)| ObjectWriter::default().text("key", key).text("path", path).finish())
                    .collect();
                let mut source = ObjectWriter::default().text("secretName", secret);
                if !items.is_empty() {
                    source = source.raw("items", &["[", &items.join(","), "]"].concat());
                }
                volume.raw("secret", &source.finish()).finish()
            }
            Self::Projected(sources) => {
                let sources: Vec<String> = sources.iter().map(ProjectedSource::json).collect();
                let source = ObjectWriter::default().raw("sources", &["[", &sources.join(","), "]"].concat());
                volume.raw("projected", &source.finish()).finish()
            }
            Self::ApiAccess { audience, expiration } => {
                let mut token = ObjectWriter::default();
                if let Some(audience) = audience {
                    token = token.text("audience", audience);
                }
                let token = token.raw("expirationSeconds", &expiration.to_string()).text("path", "token").finish();
                let sources = format!("[{{\"serviceAccountToken\":{token}}},{ROOT_CA},{NAMESPACE}]");
                let source = ObjectWriter::default().raw("defaultMode", "420").raw("sources", &sources);
                volume.raw("projected", &source.finish()).finish()
            }
        }
    }
}

const ROOT_CA: &str = r#"{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}}"#;
const NAMESPACE: &str = r#"{"downwardAPI":{"items":[{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"},"path":"namespace"}]}}"#;

fn is_secret(found: &SecretVolume<'_>, name: &str, items: &[(String, String)]) -> bool {
    let same = |((key, path), (wanted_key, wanted_path)): (&(Text<'_>, Text<'_>), &(String, String))| {
        key == wanted_key && path == wanted_path
    };
    !found.more && found.name == name && found.items.len() == items.len() && found.items.iter().zip(items).all(same)
}

/// Audience and validity of the token in a projection that is made of exactly the API server's three sources.
#[must_use]
pub fn api_access<'p>(projection: &'p Projection<'_>) -> Option<(&'p str, i64)> {
    match projection.sources.as_slice() {
        [
            Source::Token { audience, expiration, path, .. },
            Source::ConfigMap { name, item: Some((key, file)) },
            Source::Downward(Some((field, namespace))),
        ] if !projection.more
            && path == "token"
            && name == "kube-root-ca.crt"
            && key == "ca.crt"
            && file == "ca.crt"
            && field == "metadata.namespace"
            && namespace == "namespace" =>
        {
            Some((audience, expiration.as_ref().map_or(3600, |(seconds, _)| *seconds)))
        }
        _ => None,
    }
}
