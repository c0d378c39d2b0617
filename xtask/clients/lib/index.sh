# What every client is asked at a registry that keeps accounts itself: the same walk for all of them.
#
# Before it walks, a scenario says how its client does things, by functions of these names:
#
#   enter NAME SECRET     logs in; fails where that is refused, unless the client asks nobody: then `asks_late=yes`
#   leave                 forgets the login
#   send IMAGE            pushes something as IMAGE (HOST:PORT/NAME:TAG)
#   fetch IMAGE           takes IMAGE from the registry, whatever is here already
#
# People: ann owns the organisation acme, bob may pull there; both have LOGIN_PASSWORD. Robots: robot+build may push there, and so may
# acme+ci, which the tokens of a CI lead to for one repository.

asks_late=
# What the client says where it does not pass on the registry's words about a right that is missing.
instead=

admin() { "$LONGSHORE" admin "$@" --data "$INDEX_DATA"; }

# shown KEY: reads a JSON object and prints the value of KEY.
shown() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# with_index [HOST]: from here on REGISTRY is the registry with accounts, called HOST, and the words of common.sh are those of ann.
with_index() {
    [ -n "$INDEX_REGISTRY" ] || skip 'there is no registry with accounts'
    REGISTRY=${1:-127.0.0.1}:${INDEX_REGISTRY##*:}
    asking=(-u "ann:$LOGIN_PASSWORD")
    export LOGIN=ann:$LOGIN_PASSWORD
    admin user create ann <<<"$LOGIN_PASSWORD"
    admin user create bob <<<"$LOGIN_PASSWORD"
    admin org create acme --owner ann
    admin binding grant bob reader acme
    ROBOT_SECRET=$(admin robot create robot+build --grant developer:acme --json | shown secret)
}

# no_entry NAME SECRET IMAGE: refused at the login, or when IMAGE is pushed where the client asks nobody before.
no_entry() {
    if [ -n "$asks_late" ]; then
        enter "$1" "$2"
        refused_as "$unauthorized" "a push by $1 with a secret that is none" send "$3"
        leave
    else
        refused_as "$unauthorized|password" "a login by $1 with a secret that is none" enter "$1" "$2"
    fi
}

# walk NAME: what everybody must be able to do, and what nobody is. NAME:1 is pushed, and NAME:2 is not.
walk() {
    local image=$REGISTRY/$1:1 other=$REGISTRY/$1:2
    refused_as "$unauthorized" 'a push by nobody' send "$image"
    no_entry robot+build "${ROBOT_SECRET%?????}wrong" "$image"
    enter robot+build "$ROBOT_SECRET"
    send "$image"
    fetch "$image"
    leave
    refused_as "$unauthorized" 'a pull by nobody' fetch "$image"
    enter bob "$LOGIN_PASSWORD"
    fetch "$image"
    refused_as "${instead:-push to .$1}" 'a push by who may pull' send "$other"
    leave
    admin namespace set acme --visibility public
    fetch "$image"
    refused_as "$unauthorized" 'a push by nobody to what is public' send "$other"
    admin namespace set acme --visibility private
    gone "$1" 2
}

# walk_on NAME ELSEWHERE: secrets that end, and jobs that have none. A job is trusted in NAME and not in ELSEWHERE.
walk_on() {
    local image=$REGISTRY/$1:3 made
    made=$(admin token create ann --label "$image" --json)
    enter ann "$(shown secret <<<"$made")"
    send "$image"
    fetch "$image"
    admin token revoke ann "$(shown id <<<"$made")"
    refused_as "$unauthorized|password is wrong" 'a pull with a revoked token' fetch "$image"
    refused_as "$unauthorized|password is wrong" 'a push with a revoked token' send "$image"
    leave
    no_entry ann "$(shown secret <<<"$made")" "$image"
    admin robot create acme+ci --grant developer:acme
    admin trust create acme+ci --issuer "$CI_ISSUER" --claim "sub=$CI_SUBJECT" --repository "$1"
    no_entry acme+ci "$CI_OTHER" "$image"
    enter acme+ci "$CI_TRUSTED"
    send "$image"
    fetch "$image"
    # Nobody is told more about what they cannot see than that.
    refused_as "$unauthorized" 'a push by a job that is not trusted there' send "$REGISTRY/$2:1"
    leave
}
