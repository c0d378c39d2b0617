# title: containerd and ctr 1.6 (Debian)
# needs: /usr/bin/containerd /usr/bin/ctr

PATH=/usr/sbin:/usr/bin:/sbin:/bin
source "$CLIENTS/lib/containerd.sh"
# It loses the answer where that comes before the manifest was sent.
lacking='insufficient_scope|closed pipe'
unauthorized+='|closed pipe'

engine() { start_engine 2 '"io.containerd.grpc.v1.cri"'; }

version() { ctr version | grep -A1 Server | grep -oE '[0-9][0-9.]+'; }
