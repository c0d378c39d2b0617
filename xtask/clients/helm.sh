# title: Helm 4
# tools: helm

tool helm
export HELM_CACHE_HOME=$WORK/cache HELM_CONFIG_HOME=$WORK/config HELM_DATA_HOME=$WORK/data
charts=oci://$REGISTRY/helm

version() { helm version --template '{{.Version}}' | grep -v '^v4\.[0-9]*$' || pinned helm; }

# chart VERSION: packages a chart with one template.
chart() {
    mkdir -p "$WORK/webapp/templates"
    printf 'apiVersion: v2\nname: webapp\nversion: %s\n' "$1" >"$WORK/webapp/Chart.yaml"
    printf 'replicas: 1\n' >"$WORK/webapp/values.yaml"
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n' >"$WORK/webapp/templates/cm.yaml"
    helm package -d "$WORK" "$WORK/webapp" >/dev/null
}

push() {
    local said
    for number in 0.1.0 0.2.0+build.5; do
        chart "$number"
        said=$(helm push --plain-http "$WORK/webapp-$number.tgz" "$charts" 2>&1)
        same "digest of $number" "$(grep -oE 'sha256:[0-9a-f]{64}' <<<"$said")" "$(digest_at helm/webapp "${number/+/_}")"
    done
}

pull() {
    mkdir "$WORK/pulled"
    helm pull --plain-http -d "$WORK/pulled" "$charts/webapp" --version 0.1.0
    cmp "$WORK/webapp-0.1.0.tgz" "$WORK/pulled/webapp-0.1.0.tgz"
    helm show chart --plain-http "$charts/webapp" --version 0.2.0+build.5 | has 'version: 0.2.0+build.5'
    helm template --plain-http here "$charts/webapp" --version 0.1.0 | has '  name: here'
    # A chart that another client pushed.
    seed helm-0.1.0 helm/other:0.1.0
    helm show values --plain-http "$charts/other" --version 0.1.0 | has 'replicas: 1'
}

# Without a version Helm asks for the tags and takes the newest.
list() {
    helm show chart --plain-http "$charts/webapp" | has 'version: 0.2.0+build.5'
}

login() {
    [ -n "$LOCKED" ] || skip 'there is no registry that asks for a password'
    refused 'a push by nobody' helm push --plain-http "$WORK/webapp-0.1.0.tgz" "oci://$LOCKED/helm"
    refused 'a wrong password' helm registry login --plain-http -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<wrong
    helm registry login --plain-http -u "$LOGIN_NAME" --password-stdin "$LOCKED" <<<"$LOGIN_PASSWORD"
    helm push --plain-http "$WORK/webapp-0.1.0.tgz" "oci://$LOCKED/helm"
    helm show chart --plain-http "oci://$LOCKED/helm/webapp" --version 0.1.0 | has 'version: 0.1.0'
}

tls() {
    over_tls
    charts=oci://$REGISTRY/helm
    local chart=$WORK/webapp-0.1.0.tgz
    [ -e "$chart" ] || chart 0.1.0
    mkdir "$WORK/tls"
    refused_as "$untrusted" 'a push to nobody known' helm push "$chart" "$charts"
    helm push --ca-file "$TLS_CA" "$chart" "$charts" >"$WORK/said" 2>&1
    contains "$(digest_at helm/webapp 0.1.0)" <"$WORK/said"
    helm pull --ca-file "$TLS_CA" -d "$WORK/tls" "$charts/webapp" --version 0.1.0
    cmp "$chart" "$WORK/tls/webapp-0.1.0.tgz"
    refused_as "$untrusted" 'a pull from nobody known' helm show chart "$charts/webapp" --version 0.1.0
}

token() {
    with_tokens helm/webapp
    charts=oci://$REGISTRY/helm
    local chart=$WORK/webapp-0.1.0.tgz
    [ -e "$chart" ] || chart 0.1.0
    mkdir "$WORK/token"
    refused_as "$unauthorized" 'a push by nobody' helm push --plain-http "$chart" "$charts"
    refused_as "$unauthorized" 'a wrong password' \
        helm registry login --plain-http -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<wrong
    helm registry login --plain-http -u "$LOGIN_NAME" --password-stdin "$REGISTRY" <<<"$LOGIN_PASSWORD"
    helm push --plain-http "$chart" "$charts" >"$WORK/said" 2>&1
    contains "$(digest_at helm/webapp 0.1.0)" <"$WORK/said"
    helm pull --plain-http -d "$WORK/token" "$charts/webapp" --version 0.1.0
    cmp "$chart" "$WORK/token/webapp-0.1.0.tgz"
    helm registry logout "$REGISTRY"
    refused_as "$unauthorized" 'a pull by nobody' helm show chart --plain-http "$charts/webapp" --version 0.1.0
}

# A chart has its name, so the image `acme/webapp:1` is its version 1.0.0 in `acme`.
index() {
    with_index
    enter() { helm registry login --plain-http -u "$1" --password-stdin "$REGISTRY" <<<"$2"; }
    leave() { helm registry logout "$REGISTRY"; }
    send() {
        chart "${1##*:}.0.0"
        helm push --plain-http "$WORK/webapp-${1##*:}.0.0.tgz" "oci://${1%/*}"
    }
    fetch() { helm pull --plain-http -d "$WORK" "oci://${1%:*}" --version "${1##*:}.0.0"; }
    walk acme/webapp
    walk_on acme/webapp acme/other/webapp
}
