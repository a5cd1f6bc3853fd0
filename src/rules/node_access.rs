//! Rule `node-access`: no pod of Airflow's gets at the node, where the tokens of every pod lie.

use super::Rule;
use crate::finding::{Finding, Place, Problem};
use crate::json::Text;
use crate::names::{is_within, real_path};
use crate::plan::Demands;
use crate::pod::Pod;
use crate::settings::NodeAccess;
use crate::sorted::Sorted;

/// Where a node keeps what opens the cluster, and what it is. `/run` is `/var/run`.
const SENSITIVE: &[(&str, &str)] = &[
    ("/var/lib/kubelet", "the kubelet's directory, with the tokens of every pod"),
    ("/var/lib/k0s", "the kubelet's directory, with the tokens of every pod"),
    ("/var/lib/rancher", "the kubelet's directory, with the tokens of every pod"),
    ("/var/snap/microk8s", "the kubelet's directory, with the tokens of every pod"),
    ("/var/run/containerd", "the container runtime"),
    ("/var/run/crio", "the container runtime"),
    ("/var/run/docker", "the container runtime"),
    ("/var/run/docker.sock", "the container runtime"),
    ("/var/run/dockershim.sock", "the container runtime"),
    ("/var/run/cri-dockerd.sock", "the container runtime"),
    ("/var/run/k0s", "the container runtime"),
    ("/var/run/k3s", "the container runtime"),
    ("/var/run/podman", "the container runtime"),
    ("/var/lib/containerd", "the container runtime's directory, with the files of every container"),
    ("/var/lib/containers", "the container runtime's directory, with the files of every container"),
    ("/var/lib/docker", "the container runtime's directory, with the files of every container"),
    ("/proc", "the node's processes, and through them the files of every container"),
    ("/etc/kubernetes", "the control plane's keys"),
    ("/etc/rancher", "the control plane's keys"),
    ("/etc/k0s", "the control plane's keys"),
    ("/etc/srv/kubernetes", "the control plane's keys"),
    ("/var/lib/minikube", "the control plane's keys"),
    ("/var/lib/etcd", "the cluster's database"),
    ("/root/.kube", "an administrator's kubeconfig"),
];

/// What the rule demands of a pod that it judges.
pub fn demand<'a>(pod: &Pod<'a>, settings: &NodeAccess<'_>, demands: &mut Demands<'a>) {
    let mut find = |place, problem| demands.findings.push(Finding { rule: Rule::NodeAccess, place, problem });
    let spec = &pod.outline.spec;
    for (set, field) in [(spec.host_pid, "hostPID"), (spec.host_network, "hostNetwork")] {
        if set {
            find(Place::Spec(field), Problem::HostNamespace(field));
        }
    }
    for (index, container) in pod.containers.iter().enumerate().filter(|(_, container)| container.privileged) {
        find(Place::Container(index), Problem::Privileged(container.name.clone()));
    }
    let volumes: Vec<(usize, &Text<'a>, &'static str)> = pod
        .volumes
        .iter()
        .enumerate()
        .filter_map(|(index, volume)| Some((index, &volume.name, exposed(volume.host_path.as_ref()?, settings)?)))
        .collect();
    if volumes.is_empty() {
        return;
    }
    let by_name = Sorted::by(&volumes, |(_, name, _)| *name);
    let mut mounted = vec![false; volumes.len()];
    for (container, holder) in pod.containers.iter().enumerate() {
        for (index, mount) in holder.mounts.items.iter().enumerate() {
            let Some(found) = by_name.find(&volumes, |(_, name, _)| *name, &mount.volume) else { continue };
            if let (Some((volume, name, what)), Some(seen)) = (volumes.get(found), mounted.get_mut(found)) {
                *seen = true;
                let path = pod.volumes.get(*volume).and_then(|volume| volume.host_path.clone()).unwrap_or_default();
                find(Place::Mount(container, index), Problem::NodePath((*name).clone(), path, what));
            }
        }
    }
    // An ephemeral container can mount tomorrow what nobody mounts today.
    for ((volume, name, what), _) in volumes.iter().zip(mounted).filter(|(_, mounted)| !mounted) {
        let path = pod.volumes.get(*volume).and_then(|volume| volume.host_path.clone()).unwrap_or_default();
        find(Place::Volume(*volume), Problem::NodePath((*name).clone(), path, what));
    }
}

/// What a path of the node exposes, if it does: it lies in a sensitive one, or such a one lies in it.
fn exposed(path: &str, settings: &NodeAccess<'_>) -> Option<&'static str> {
    let path = real_path(path);
    if settings.allowed_host_paths.iter().any(|allowed| is_within(&path, &real_path(&allowed.0))) {
        return None;
    }
    let mut sensitive = SENSITIVE.iter();
    sensitive.find(|(known, _)| is_within(&path, known) || is_within(known, &path)).map(|(_, what)| *what)
}
