# title: containerd and ctr 2
# tools: containerd runc

source "$CLIENTS/lib/containerd.sh"
tool containerd runc

engine() {
    start_engine 3 '"io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"'
}

version() { pinned containerd; }
