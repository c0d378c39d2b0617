# The folders and settings that podman and buildah share: nothing of the machine's own is read or written.

export CONTAINERS_CONF=$WORK/containers.conf
export CONTAINERS_STORAGE_CONF=$WORK/storage.conf
export CONTAINERS_REGISTRIES_CONF=$WORK/registries.conf

# The limits are lowered because a sandbox may not raise them; runc, because crun wants one kind of cgroups.
cat >"$CONTAINERS_CONF" <<'EOF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
EOF
cat >"$CONTAINERS_STORAGE_CONF" <<EOF
[storage]
driver = "overlay"
graphroot = "$WORK/graph"
runroot = "$WORK/run"
EOF
cat >"$CONTAINERS_REGISTRIES_CONF" <<EOF
[[registry]]
location = "$REGISTRY"
insecure = true
EOF
