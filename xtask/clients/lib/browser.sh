# A person with a browser, for command lines that wait for one.

browse() { curl -sSf -b "$WORK/cookies" -c "$WORK/cookies" "$@"; }

# mark_in: reads a page and prints what its first form must send back.
mark_in() { grep -oE 'name="mark" value="[^"]*"' | head -1 | cut -d'"' -f4; }

# approve NAME CODE: logs in at REGISTRY and says yes to the command line that shows CODE.
approve() {
    local at=http://$REGISTRY mark
    mark=$(browse "$at/auth/login" | mark_in)
    browse -o /dev/null --data-urlencode "mark=$mark" --data-urlencode "username=$1" \
        --data-urlencode "password=$LOGIN_PASSWORD" "$at/auth/login"
    mark=$(browse "$at/device?user_code=$2" | mark_in)
    browse -o /dev/null --data-urlencode "mark=$mark" --data-urlencode "user_code=$2" \
        --data-urlencode decision=approve "$at/device"
}

# begin_login FOLDER: `longshore login` for ann, into the settings of docker in FOLDER. It asks every few seconds whether she has said
# yes, so it goes on in the background until `end_login`.
begin_login() {
    : >"$WORK/login.log"
    DOCKER_CONFIG=$1 "$LONGSHORE" login "$REGISTRY" >"$WORK/login.log" 2>&1 &
    command_line=$!
    within 10 grep -q user_code= "$WORK/login.log"
    approve ann "$(grep -oE 'user_code=[^ ]+' "$WORK/login.log" | head -1 | cut -d= -f2)"
}

end_login() { wait "$command_line" || fail "longshore login: $(<"$WORK/login.log")"; }
