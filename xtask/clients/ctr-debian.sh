# title: containerd and ctr 1.6 (Debian)
# needs: /usr/bin/containerd /usr/bin/ctr

PATH=/usr/sbin:/usr/bin:/sbin:/bin
source "$CLIENTS/lib/containerd.sh"

engine() { start_engine 2 '"io.containerd.grpc.v1.cri"'; }

version() { ctr version | grep -A1 Server | grep -oE '[0-9][0-9.]+'; }
