//! Files with mistakes, and word for word what is said about them.

use super::load;

/// Bad files, and word for word what is said about them.
pub(in crate::config) const BAD: &[(&str, &str)] = &[
    (
        "[limits]\nmanfiest = \"4 MiB\"\n",
        "error: longshore.toml:2:1: there is no key `limits.manfiest`\n  hint: did you mean `limits.manifest`?",
    ),
    (
        "manifest = \"4 MiB\"\n",
        "error: longshore.toml:1:1: there is no key `manifest`\n  hint: did you mean `manifests`?",
    ),
    (
        "[htpt]\nh2c = true\n",
        "error: longshore.toml:1:2: there is no key `htpt`\n  hint: did you mean `http`?",
    ),
    (
        "[storage]\ndrain_time = \"1m\"\n",
        "error: longshore.toml:2:1: there is no key `storage.drain_time`\n  hint: did you mean `http.drain_time`?",
    ),
    (
        "[index]\nenabled = true\n[index.ldap.corp]\nuser_base = \"dc=x\"\n",
        "error: longshore.toml:3:13: `index.ldap.corp.url` is missing\n  \
         hint: say where the directory is, as in \"ldaps://ldap.example\"",
    ),
    (
        "[index]\nenabled = true\n[index.ldap.corp]\nuser_base = \"dc=x\"\nurl = \"ldap://ldap.example\"\n",
        "error: longshore.toml:5:7: `index.ldap.corp.url`: passwords would travel in the clear: use `ldaps://`, or set `start_tls`",
    ),
    (
        "[index]\nenabled = true\n[index.ldap.corp]\nuser_base = \"dc=x\"\nurl = \"ldaps://ldap.example\"\nuser_filter = \"(uid=alice)\"\n",
        "error: longshore.toml:6:15: `index.ldap.corp.user_filter`: it must be a filter in parentheses with `{user}` where the name goes",
    ),
    (
        "[index]\nenabled = true\n[index.ldap.corp]\nuser_base = \"dc=x\"\nurl = \"ldaps://ldap.example\"\ngroup_base = \"dc=x\"\nteams = [\"staff\"]\n",
        "error: longshore.toml:7:9: `index.ldap.corp.teams`: `staff` is no rule\n  \
         hint: write `GROUP = ORGANISATION`, `GROUP = ORGANISATION/TEAM` or `* = ORGANISATION/*`",
    ),
    (
        "[index]\nenabled = true\npassword_min_length = 7\n",
        "error: longshore.toml:3:23: `index.password_min_length` must be from 8 to 128\n  \
         hint: shorter ones are guessed, and longer ones are written down; 15 is a good length",
    ),
    (
        "[index]\nenabled = true\npassword_min_length = 129\n",
        "error: longshore.toml:3:23: `index.password_min_length` must be from 8 to 128\n  \
         hint: shorter ones are guessed, and longer ones are written down; 15 is a good length",
    ),
    (
        "[index.ldap.corp]\nurl = \"ldaps://ldap.example\"\n",
        "error: longshore.toml:1:8: a directory is configured, and nobody asks it\n  \
         hint: the index does: set `index.enabled = true`",
    ),
    (
        "[index]\nenabled = true\n[index.ldap.corp]\nurll = 1\n",
        "error: longshore.toml:3:13: `index.ldap.corp.url` is missing\n  hint: say where the directory is, as in \"ldaps://ldap.example\"\nerror: longshore.toml:3:13: `index.ldap.corp.user_base` is missing\n  hint: say where its people are, as in \"ou=people,dc=example\"\nerror: longshore.toml:4:1: there is no key `index.ldap.corp.urll`\n  hint: did you mean `index.ldap.NAME.url`, where NAME is a name of yours: lower-case letters, digits and `-`?",
    ),
    (
        "[index]\nenabled = true\n[index.oidc.corp]\nissuer = \"https://id.example\"\nclient_id = \"x\"\n",
        "error: longshore.toml:3:13: `index.oidc.corp` needs `public_url`\n  \
         hint: people come back to it from the provider, so it must be said",
    ),
    (
        "public_url = \"https://reg.example\"\n[index]\nenabled = true\n[index.oidc.corp]\nissuer = \"https://10.0.0.1\"\nclient_id = \"x\"\n",
        "error: longshore.toml:5:10: `index.oidc.corp.issuer`: it leads inside, and is not in the list of what is allowed",
    ),
    (
        "public_url = \"https://reg.example\"\n[index]\nenabled = true\n[index.mail]\nfrom = \"reg@example.org\"\n",
        "error: longshore.toml:4:8: `index.mail.server` is missing\n  \
         hint: say which server takes mail, as in \"mail.example:587\"",
    ),
    (
        "[index]\nenabled = true\n[index.mail]\nserver = \"mail.example\"\nfrom = \"reg@example.org\"\n",
        "error: longshore.toml:3:8: `index.mail` needs `public_url`\n  \
         hint: links in letters begin with it, so it must be said",
    ),
    (
        "public_url = \"https://reg.example\"\n[index]\nenabled = true\n[index.mail]\nserver = \"smtp://mail\"\nfrom = \"Registry\"\n",
        "error: longshore.toml:5:10: `index.mail.server`: `smtp://mail` is no server\n  \
         hint: write a name or an address, and perhaps a port, as in \"mail.example:587\"\n\
         error: longshore.toml:6:8: `index.mail.from`: it is no sender: write an address, or \"Name <address@host.example>\"",
    ),
    (
        "public_url = \"https://reg.example\"\n[index]\nenabled = true\n[index.mail]\nserver = \"mail.example\"\nfrom = \"reg@example.org\"\n\
         tls = \"none\"\nuser = \"reg\"\npassword = \"x\"\n",
        "error: longshore.toml:8:8: `index.mail.user`: the password would travel in the clear: set `tls`, or leave the user out",
    ),
    (
        "[index.mail]\nserver = \"mail.example\"\n",
        "error: longshore.toml:1:8: a mail server is configured, and nobody asks it\n  \
         hint: the index does: set `index.enabled = true`",
    ),
    (
        "frobnicate = 1\n",
        "error: longshore.toml:1:1: there is no key `frobnicate`\n  hint: `longshore config schema --format markdown` lists every key",
    ),
    (
        "limits = 5\n",
        "error: longshore.toml:1:1: `limits` is a section, not a key\n  hint: write its keys under [limits]",
    ),
    (
        "[limits]\nmanifest = \"4 Mibs\"\n",
        "error: longshore.toml:2:12: `limits.manifest` must be a size such as \"4 MiB\", not \"4 Mibs\"\n  \
         hint: units are B, KiB, MiB, GiB, TiB (of 1,024) and KB, MB, GB, TB (of 1,000)",
    ),
    (
        "[limits]\nkeep_alive = 75\n",
        "error: longshore.toml:2:14: `limits.keep_alive` must be a duration such as \"30s\" or \"1h30m\", not 75\n  \
         hint: say the unit, as in \"75s\"",
    ),
    (
        "[limits]\nconnections = 0\n",
        "error: longshore.toml:2:15: `limits.connections` must be a whole number, 1 or more, not 0",
    ),
    (
        "open = \"true\"\n",
        "error: longshore.toml:1:8: `open` must be true or false, not \"true\"\n  hint: leave the quotes out",
    ),
    (
        "listen = [\"127.0.0.1:5000\", 5001]\n",
        "error: longshore.toml:1:29: `listen` must be an address such as \"127.0.0.1:5000\", \":5000\" or \
         \"unix:/run/longshore.sock\", not 5001\n  hint: did you mean \"127.0.0.1:5001\"?",
    ),
    (
        "[storage]\nkind = \"s3\"\n",
        "error: longshore.toml:2:8: `storage.kind` must be \"files\", not \"s3\"",
    ),
    (
        "[log]\nlevel = \"loud\"\n",
        "error: longshore.toml:2:9: `log.level` must be one of \"error\", \"warn\", \"info\", \"debug\", \"trace\", not \"loud\"",
    ),
    (
        "listen = \"0.0.0.0:5000\"\n",
        "error: longshore.toml:1:10: 0.0.0.0:5000 can be reached from other machines, and nobody has to log in\n  \
         hint: keep accounts here (`--index`), configure [auth.htpasswd] or [auth.token], listen on 127.0.0.1, or pass --open if that is what you want",
    ),
    (
        "listen = \":5000\"\n[auth.htpasswd]\n",
        "error: longshore.toml:2:7: `auth.htpasswd.path` is missing",
    ),
    (
        "[auth]\nanonymous = \"pull\"\n",
        "error: longshore.toml:2:13: `auth.anonymous` allows only pulls, but nobody can log in to push\n  \
         hint: configure [auth.htpasswd] or [auth.token], or set `storage.read_only`",
    ),
    (
        "[auth]\nhtpasswd = { path = \"/p\" }\ntoken = { realm = \"https://a\" }\n",
        "error: longshore.toml:3:1: `auth.htpasswd` and `auth.token` are both set\n  \
         hint: a registry asks for one kind of login; keep one section",
    ),
    (
        "[tls]\ncert = \"c.pem\"\n",
        "error: longshore.toml:2:8: `tls.cert` is set but `tls.key` is not\n  \
         hint: name the file with the private key of the certificate",
    ),
    (
        "[metrics]\nlisten = \"127.0.0.1:5000\"\n",
        "error: longshore.toml:2:10: `listen` and `metrics.listen` are both 127.0.0.1:5000\n  \
         hint: give the metrics a port of their own, or set `metrics.enabled = false`",
    ),
    (
        "[database]\nurl = \"postgres://db/reg\"\n",
        "error: longshore.toml:2:7: `database.url` names a postgres database; this version has SQLite only\n  \
         hint: write sqlite:///path/to/meta.db, or leave it out",
    ),
    (
        "[database]\nurl = \"sqlite://meta.db\"\n",
        "error: longshore.toml:2:7: `database.url` names no file\n  hint: three slashes: sqlite:///var/lib/longshore/meta.db",
    ),
    (
        "public_url = \"https://reg.example/registry\"\n",
        "error: longshore.toml:1:14: `public_url` must end after the host and port\n  \
         hint: a path before /v2/ goes into `http.prefix`",
    ),
    (
        "public_url = \"https://me:hunter2@reg.example\"\n",
        "error: longshore.toml:1:14: `public_url` must not carry a user name or password",
    ),
    (
        "[http]\nprefix = \"/a/../b/\"\n",
        "error: longshore.toml:2:10: `http.prefix` must be a path that begins and ends with a slash\n  hint: such as \"/registry/\"",
    ),
    (
        "[http]\nheaders = { Content-Length = \"5\" }\n",
        "error: longshore.toml:2:30: `http.headers` may not set Content-Length, which the server sets itself",
    ),
    (
        "[http]\nwarnings = [\"moves in May\", \"caf\u{e9}\"]\n",
        "error: longshore.toml:2:12: `http.warnings` may hold lines of printable ASCII only",
    ),
    (
        "[limits]\nheader = \"64 KiB\"\n",
        "error: longshore.toml:2:10: `limits.header` is more than `limits.header_block`",
    ),
    (
        "[limits]\nfailed_login_wait = \"1h\"\n",
        "error: longshore.toml:2:21: `limits.failed_login_wait` is more than `limits.failed_login_wait_max`",
    ),
    (
        "[limits]\nfailed_logins_time = \"0s\"\n",
        "error: longshore.toml:2:22: `limits.failed_logins_time` is zero, so passwords could be guessed without an end",
    ),
    (
        "[limits]\ntoken = 0\n",
        "error: longshore.toml:2:9: `limits.token` is zero, so nothing would get through",
    ),
    (
        "[auth.token]\nrealm = \"https://a/\"\nservice = \"s\"\nissuer = \"i\"\njwks_url = \"https://a/k\"\njwks_refresh = \"5m\"\n",
        "error: longshore.toml:6:16: `auth.token.jwks_refresh` must be more than nothing and less than 5 minutes\n  \
         hint: keys that could not be fetched again for 5 minutes are used no more",
    ),
    (
        "[tracing]\nheaders = \"***\"\nendpoint = \"http://c/\"\n",
        "error: longshore.toml:2:11: `tracing.headers` holds the stars that `longshore config show` prints in place of a secret\n  \
         hint: write the secret itself, or name a file that holds it",
    ),
    (
        "[tracing]\nheaders = \"a=b\"\nheaders_file = \"/f\"\nendpoint = \"http://c/\"\n",
        "error: longshore.toml:3:16: `tracing.headers` and `tracing.headers_file` are both set\n  hint: keep one of them",
    ),
    (
        "[manifests]\nurl_deny = [\"a\", \"(\"]\n",
        "error: longshore.toml:2:18: `manifests.url_deny` must be a regular expression, not \"(\"\n  \
         hint: found open group without closing ')'",
    ),
];

#[test]
fn every_mistake_is_named_with_its_place_and_a_next_step() {
    for (text, expected) in BAD {
        let said = load(text).expect_err(text).to_string();
        assert_eq!(said, *expected, "for the file\n{text}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_in_its_order() {
    let text = "listen = 5\n[limits]\npage = \"many\"\nblob = true\n[tls]\nkey = \"k\"\n";
    let problems = load(text).unwrap_err().0;
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| problem.at.to_string())
        .collect();
    assert_eq!(
        lines,
        [
            "longshore.toml:1:10",
            "longshore.toml:3:8",
            "longshore.toml:4:8",
            "longshore.toml:6:7"
        ]
    );
}

#[test]
fn broken_toml_is_told_with_its_place() {
    let said = load("listen = \n[limits\n").unwrap_err().to_string();
    assert!(said.contains("longshore.toml:1:"), "{said}");
    assert!(said.contains("longshore.toml:2:"), "{said}");
    let twice = load("open = true\nopen = false\n").unwrap_err().to_string();
    assert_eq!(twice, "error: longshore.toml:2:1: duplicate key");
}
