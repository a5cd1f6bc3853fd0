#!/usr/bin/env bats
load helper

@test "node-access: a path of the node that is listed may be mounted" {
  accepts node-access-allowed mutate
  accepts node-access-allowed validate
}

@test "node-access: the container runtime's socket is denied" {
  for mode in mutate validate; do
    denies node-access-socket "$mode" "volume \`v\` is \`/var/run/docker.sock\` of the node"
  done
}

@test "node-access: by default the kubelet's directory is reported" {
  warns node-access-audit validate "with the tokens of every pod"
}

@test "node-access: an action that does not exist is refused" {
  refuses node-access
}
