//! Rule `node-access`. Of the node's directories only those that the contract names.

use super::pattern::is_within;
use super::settings::OtherPods;
use super::who::Who;
use super::{Case, Outcome};

/// The kubelet's, the runtime's and the control plane's, and the node's processes.
const DIRECTORIES: [&str; 6] =
    ["/var/lib/kubelet", "/run/containerd", "/var/run/docker.sock", "/var/lib/containerd", "/etc/kubernetes", "/proc"];

pub fn judge(case: &Case<'_>, outcome: &mut Outcome) {
    let settings = &case.settings.node_access;
    let action = case.action("node-access", settings.failure_action);
    let is_judged = !matches!(case.who(), Who::Other) || case.settings.token_mounts.other_pods == OtherPods::NoToken;
    let Some(spec) = case.pod.spec.as_ref().filter(|_| is_judged) else { return };
    let is_node = |path: &str| {
        let is_open = DIRECTORIES.iter().any(|directory| is_within(path, directory) || is_within(directory, path));
        is_open && !settings.allowed_host_paths.iter().any(|allowed| is_within(path, allowed))
    };
    let opens = |name: &str| {
        let path = case.volume(name).and_then(|volume| volume.host_path.as_ref());
        path.is_some_and(|path| is_node(&path.path))
    };
    let is_mounted = |name: &str| case.places.iter().flat_map(|place| place.mounts).any(|mount| mount.name == name);
    for (at, volume) in case.volumes().iter().enumerate() {
        if opens(&volume.name) && !is_mounted(&volume.name) {
            outcome.find("node-access/node-path", &format!("spec.volumes[{at}]"), action);
        }
    }
    for place in &case.places {
        for (at, _) in place.mounts.iter().enumerate().filter(|(_, mount)| opens(&mount.name)) {
            outcome.find("node-access/node-path", &format!("{}.volumeMounts[{at}]", place.path()), action);
        }
        if place.privileged {
            outcome.find("node-access/privileged", &place.path(), action);
        }
    }
    if spec.host_pid == Some(true) {
        outcome.find("node-access/host-namespace", "spec.hostPID", action);
    }
    if spec.host_network == Some(true) {
        outcome.find("node-access/host-namespace", "spec.hostNetwork", action);
    }
}
