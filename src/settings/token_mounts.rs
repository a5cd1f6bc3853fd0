//! The section `tokenMounts`.

use super::Action;
use super::pattern::{AccountPattern, any, matches, restricts};
use super::problems::{At, Problems};
use super::read::{Labels, Pattern, Restriction, Seconds, section, text, words};
use crate::names::{is_dns_label, is_mount_path};

words! {
    /// What holds for Airflow pods that are no component.
    pub enum AirflowPods {
        /// Nothing.
        Ignore = "Ignore",
        /// That they hold a token is reported.
        Audit = "Audit",
        /// They hold no token.
        Enforce = "Enforce",
    }
}

words! {
    /// What holds for pods that are not Airflow's.
    pub enum OtherPods {
        /// Nothing.
        Ignore = "Ignore",
        /// They hold no token.
        NoToken = "NoToken",
    }
}

words! {
    /// What is said of pod templates.
    pub enum Templates {
        /// Nothing that will be mended in the pods.
        Repairable = "Repairable",
        /// All of it.
        Strict = "Strict",
    }
}

section! {
    /// Rule `token-mounts`: which containers may hold a Kubernetes API token.
    pub struct TokenMounts<'a> {
        /// The rule's own action.
        "failureAction" failure_action: Option<Action> = None;
        /// Who may hold a token.
        "components" components: Vec<Component<'a>> = vec![Component::scheduler()];
        /// Airflow pods that are no component.
        "airflowPods" airflow_pods: AirflowPods = AirflowPods::Audit;
        /// Pods that are not Airflow's.
        "otherPods" other_pods: OtherPods = OtherPods::Ignore;
        /// Whether every judged pod must itself say `automountServiceAccountToken: false`.
        "requireAutomountFalse" require_automount_false: bool = false;
        /// The volume that a holder gets instead of the one that the API server injects.
        "serviceAccountTokenVolume" volume: TokenVolume<'a> = TokenVolume::default();
        /// The longest time that a holder's token may be asked for.
        "maxExpirationSeconds" max_expiration: Option<Seconds<600, 4_294_967_296>> = None;
        /// What the audiences of projected tokens mean.
        "audiences" audiences: Audiences<'a> = Audiences::default();
        /// Secrets known to hold a token, a kubeconfig and the like, as patterns.
        "tokenSecrets" token_secrets: Vec<Pattern<'a>> = Vec::new();
        /// What `validate` says of pod templates.
        "templates" templates: Templates = Templates::Repairable;
    }
    check check;
}

fn check(section: &TokenMounts<'_>, at: At<'_>, problems: &mut Problems) {
    for (index, component) in section.components.iter().enumerate() {
        if section.components.iter().take(index).any(|other| other.name == component.name) {
            problems.add(
                at.key("components").index(index).key("name"),
                "names a component that another entry names already",
            );
        }
    }
    if let (true, Some(max)) = (section.volume.enabled, section.max_expiration)
        && section.volume.expiration.0 > max.0
    {
        let text = format!("must not be more than `tokenMounts.maxExpirationSeconds`, {}", max.0);
        problems.add(at.key("serviceAccountTokenVolume").key("expirationSeconds"), text);
    }
}

section! {
    /// A component of Airflow that may hold a token.
    pub struct Component<'a> {
        /// What messages and other settings call it.
        "name" name: Option<Pattern<'a>> = None;
        /// Its pods.
        "match" matches: ComponentMatch<'a> = ComponentMatch::default();
        /// Who creates its pods, besides kube-system's workload controllers.
        "requesters" requesters: Vec<Pattern<'a>> = Vec::new();
        /// The containers that may hold a token.
        "containers" containers: Vec<ContainerName<'a>> = Vec::new();
        /// The init containers and native sidecars that may hold a token.
        "initContainers" init_containers: Vec<ContainerName<'a>> = Vec::new();
    }
    check check_component;
}

section! {
    /// The pods of a component: all that are given must match.
    pub struct ComponentMatch<'a> {
        /// Labels and their values.
        "labels" labels: Labels<'a> = Labels::default();
        /// The pod's ServiceAccount.
        "serviceAccounts" service_accounts: Option<Restriction<AccountPattern<'a>>> = None;
    }
}

fn check_component(component: &Component<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(component.name.is_some(), at.key("name"), "");
    let restricts =
        |list: &Restriction<AccountPattern<'_>>| list.0.iter().all(|pattern| restricts(&pattern.0.replace('/', "")));
    let accounts = component.matches.service_accounts.as_ref().is_some_and(restricts);
    if component.matches.labels.0.is_empty() && !accounts {
        problems.require(false, at.key("match"), ": labels or ServiceAccounts; the entry would match every pod");
    }
    let some = !component.containers.is_empty() || !component.init_containers.is_empty();
    problems.require(some, at.key("containers"), ": the containers that may hold the token");
}

impl Component<'_> {
    /// The default entry.
    fn scheduler() -> Self {
        Self {
            name: Some(Pattern("scheduler".into())),
            matches: ComponentMatch {
                labels: Labels(vec![("tier".into(), "airflow".into()), ("component".into(), "scheduler".into())]),
                service_accounts: Some(Restriction(vec![AccountPattern("*/*".into())])),
                ..ComponentMatch::default()
            },
            containers: vec![ContainerName("scheduler".into())],
            ..Self::default()
        }
    }

    /// What messages call it.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_ref().map_or("", |name| &name.0)
    }
}

text! {
    /// The name of a container.
    ContainerName, "the name of a container (a DNS label; patterns are not taken here)", is_dns_label
}

section! {
    /// The Airflow chart's `serviceAccountTokenVolume`: its keys, defaults and ranges.
    pub struct TokenVolume<'a> {
        /// Whether a holder that mounts no token of its own gets this volume.
        "enabled" enabled: bool = false;
        /// The volume's name.
        "volumeName" name: VolumeName<'a> = VolumeName("kube-api-access".into());
        /// Where it is mounted.
        "mountPath" mount_path: MountPath<'a> = MountPath(DEFAULT_TOKEN_PATH.into());
        /// How long a token is valid, in seconds.
        "expirationSeconds" expiration: Seconds<600, 7_776_000> = Seconds(3600);
        /// The token's audience; null: the API server's own.
        "audience" audience: Option<Audience<'a>> = None;
    }
}

/// Where clients look for the token, and where the API server mounts it.
pub const DEFAULT_TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

text! {
    /// A volume's name that can't be taken for one of the API server's.
    VolumeName, "a DNS label that does not begin with `kube-api-access-`, the API server's prefix", |text| {
        is_dns_label(text) && !text.starts_with("kube-api-access-")
    }
}

text! {
    /// A path to mount at.
    MountPath, "an absolute path without `..`, `:`, empty steps or a slash at its end", is_mount_path
}

text! {
    /// The audience of a token.
    Audience, "a token's audience, or null for the API server's own", |text| !text.is_empty()
}

text! {
    /// A pattern of audiences that leaves some out.
    AudiencePattern, "a pattern of audiences that does not match every audience", restricts
}

section! {
    /// What the audiences of projected tokens mean. One that is not known counts as the API server's.
    pub struct Audiences<'a> {
        /// Further audiences that the API server accepts.
        "api" api: Vec<Pattern<'a>> = Vec::new();
        /// Audiences of other services, besides [`ALLOWED_AUDIENCES`].
        "allowed" allowed: Vec<AudiencePattern<'a>> = Vec::new();
    }
}

impl TokenMounts<'_> {
    /// Whether the API server takes tokens for this audience, as far as is known.
    #[must_use]
    pub fn is_api(&self, audience: &str) -> bool {
        audience.is_empty()
            || API_AUDIENCES.iter().any(|pattern| matches(pattern, audience))
            || any(&self.audiences.api, audience)
            || self.volume.audience.as_ref().is_some_and(|own| own.0 == audience)
    }

    /// Whether a token for this audience opens nothing at the API server, as far as is known.
    #[must_use]
    pub fn is_other_service(&self, audience: &str) -> bool {
        let allowed = ALLOWED_AUDIENCES.iter().any(|pattern| matches(pattern, audience));
        (allowed || any(&self.audiences.allowed, audience)) && !self.is_api(audience)
    }
}

/// What API servers commonly call themselves: their address in the cluster, and the issuers of managed ones.
pub const API_AUDIENCES: [&str; 7] = [
    "https://kubernetes.default*",
    "kubernetes.default*",
    "https://oidc.eks.*",
    "https://container.googleapis.com/*",
    "https://*.oic.prod-aks.azure.com/*",
    "https://*.azmk8s.io*",
    "k3s",
];

/// Audiences of other services: a token for one of these opens nothing at the API server.
pub const ALLOWED_AUDIENCES: [&str; 7] = [
    "sts.amazonaws.com",
    "pods.eks.amazonaws.com",
    "api://AzureADTokenExchange",
    "istio-ca",
    "sts.googleapis.com",
    "//iam.googleapis.com/*",
    "https://iam.googleapis.com/*",
];
