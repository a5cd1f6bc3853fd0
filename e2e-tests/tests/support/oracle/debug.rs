//! Ephemeral containers beside injected credentials.

use super::credentials::Grants;
use super::needs::Needs;
use super::places::Section;
use super::settings::Action;
use super::{Case, Outcome, Outside};

/// Names of volumes that the policy takes for its own by what they are made of, whoever asks.
const OWN: [&str; 5] = ["gcp-", "aws-iam-token", "eks-pod-identity-token", "azure-identity-token", "vault-"];

pub fn judge(
    case: &Case<'_>,
    grants: &Grants,
    needs: &[&Needs],
    action: Action,
    outcome: &mut Outcome,
) -> Result<(), Outside> {
    let granted = |name: &str| needs.iter().filter_map(|needs| needs.volume.as_ref()).any(|volume| volume.name == name);
    let is_own = |name: &str| OWN.iter().any(|own| name.starts_with(own));
    if case.volumes().iter().any(|volume| is_own(&volume.name)) {
        return Err(Outside("an ephemeral container beside what may be a credential's volume"));
    }
    let is_shared = case.pod.spec.as_ref().is_some_and(|spec| spec.share_process_namespace == Some(true));
    let targets = || case.places.iter().filter(|place| grants.targets.contains(&(place.section, place.index)));
    let holds = !grants.list.is_empty();
    for place in case.places.iter().filter(|place| place.section == Section::Ephemeral) {
        for (at, mount) in place.mounts.iter().enumerate().filter(|(_, mount)| granted(&mount.name)) {
            let id = match case.volume(&mount.name) {
                Some(_) => "credentials/credential-mounted",
                None if targets().next().is_none() => continue,
                None => "credentials/dangling-mount",
            };
            outcome.find(id, &format!("{}.volumeMounts[{at}]", place.path()), action);
        }
        for (at, variable) in place.env.iter().enumerate() {
            let secret = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
            if secret.is_some_and(|secret| grants.reads(&secret.name)) {
                outcome.find("credentials/credential-read", &format!("{}.env[{at}]", place.path()), action);
            }
        }
        for (at, from) in place.env_from.iter().enumerate() {
            if from.secret_ref.as_ref().is_some_and(|secret| grants.reads(&secret.name)) {
                outcome.find("credentials/credential-read", &format!("{}.envFrom[{at}]", place.path()), action);
            }
        }
        let enters = is_shared || targets().any(|target| place.target == Some(target.name));
        if holds && enters && targets().next().is_some() {
            let field = if place.target.is_some() { ".targetContainerName" } else { "" };
            outcome.find("credentials/granted-targeted", &format!("{}{field}", place.path()), action);
        }
    }
    Ok(())
}
