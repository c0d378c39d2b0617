# title: oras (Python library)
# tools: oras
# needs: python3

export PYTHONPATH=$TOOLS/oras

version() { pinned oras; }

# oras ACTION ARGUMENT...: one call of the library.
oras() { python3 "$CLIENTS/lib/oras_cli.py" "$REGISTRY" "$@"; }

push() {
    printf 'a file\n' >"$WORK/file.txt"
    mkdir -p "$WORK/folder"
    printf 'inside\n' >"$WORK/folder/inner.txt"
    cd "$WORK"
    oras push oras/artifact:1 file.txt folder
    same 'the status' 200 "$(status GET /v2/oras/artifact/manifests/1)"
}

pull() {
    oras pull oras/artifact:1 "$WORK/pulled"
    cmp "$WORK/file.txt" "$WORK/pulled/file.txt"
    cmp "$WORK/folder/inner.txt" "$WORK/pulled/folder/inner.txt"
}

list() {
    cd "$WORK"
    oras push oras/artifact:2 file.txt
    oras tags oras/artifact | has 2
}

delete() {
    oras delete oras/artifact 2
    gone oras/artifact 2
}
