//! Letters, and what their tokens do: a hub with a mail server of the test's own.

mod outbox;
mod tokens;

use std::sync::{Arc, Mutex};

use longshore_auth::smtp::{Security, Smtp, SmtpOptions};
use longshore_meta::outbox::mail_count;
use longshore_meta::principals::{State, principal_get};
use longshore_meta::secrets::{Kind as Secret, secret_count};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{House, account, caller, code, now, operator};
use crate::accounts::NewAccount;
use crate::comings::{Joining, NewInvitation, SignedUp};
use crate::edits::Edit;
use crate::mail::{Post, PostOptions, Waited};
use crate::settings::SignUp;
use crate::{Caller, Desk, Hub, NewPassword};
use longshore_auth::rights::Who;
use longshore_core::Code;
use longshore_meta::principals::{Kind as Sort, PrincipalId};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

/// A mail server that keeps what it gets, and refuses as it is told.
#[derive(Clone, Default)]
struct Sink {
    letters: Arc<Mutex<Vec<String>>>,
    refuse: Arc<Mutex<Option<(&'static str, &'static str)>>>,
}

impl Sink {
    async fn open() -> (Self, u16) {
        let sink = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                kept.serve(stream).await;
            }
        });
        (sink, port)
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 sink\r\n").await.ok()?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let word = line.get(..4).unwrap_or_default().to_owned();
            let refuse = *self.refuse.lock().unwrap();
            if let Some((at, reply)) = refuse
                && word == at
            {
                stream.write_all(reply.as_bytes()).await.ok()?;
                continue;
            }
            let reply = match word.as_str() {
                "DATA" => {
                    stream.write_all(b"354 go\r\n").await.ok()?;
                    let mut letter = String::new();
                    while !letter.ends_with("\r\n.\r\n") {
                        stream.read_line(&mut letter).await.ok()?;
                    }
                    self.letters.lock().unwrap().push(letter);
                    "250 kept\r\n"
                }
                "QUIT" => return None,
                _ => "250 ok\r\n",
            };
            stream.write_all(reply.as_bytes()).await.ok()?;
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.letters.lock().unwrap())
    }

    fn refuse(&self, how: Option<(&'static str, &'static str)>) {
        *self.refuse.lock().unwrap() = how;
    }
}

fn token(letter: &str) -> String {
    let letter = letter.replace("=\r\n", "");
    let (_, rest) = letter.split_once("/account/").expect("a link");
    let (_, rest) = rest.split_once('#').expect("a token");
    rest.split_whitespace().next().unwrap().to_owned()
}

fn to(letter: &str) -> &str {
    let line = letter.lines().find(|line| line.starts_with("To: "));
    line.unwrap().strip_prefix("To: ").unwrap()
}

struct Office {
    house: House,
    hub: Hub,
    post: Post,
    sink: Sink,
}

impl Office {
    async fn new() -> Self {
        let (sink, port) = Sink::open().await;
        let post = post(port);
        let house = House::new().await;
        let hub = house
            .hub
            .clone()
            .with_desk(Desk::new(Some(post.clone()), false, 1000));
        Self {
            house,
            hub,
            post,
            sink,
        }
    }

    /// Sends all that is due at a time, and gives it.
    async fn sent_at(&self, at: SystemTime) -> Vec<String> {
        while self.hub.post_round(&self.post, at).await.unwrap() == Waited::Done {}
        self.sink.take()
    }

    async fn sent(&self) -> Vec<String> {
        self.sent_at(now()).await
    }

    async fn switch(&self, name: &str, enabled: bool) {
        let edit = Edit {
            enabled: Some(enabled),
            ..Edit::default()
        };
        let by = operator();
        let edited = self.hub.account_edit(&by, Sort::User, name, edit).await;
        edited.unwrap();
    }

    async fn waiting(&self) -> u64 {
        let read = self.hub.db.read(&(), |tx, ()| {
            Box::pin(async move { Ok(mail_count(tx, true).await? + mail_count(tx, false).await?) })
        });
        read.await.unwrap()
    }

    async fn person(&self, name: &str) -> Caller {
        let new = NewAccount {
            mail: format!("{name}@example.org"),
            password: Some(NewPassword::plain("correct horse")),
            ..account(name)
        };
        let id = self.hub.user_create(&operator(), new).await.unwrap();
        caller(id, name)
    }

    async fn mail_of(&self, id: PrincipalId) -> String {
        let read = self
            .hub
            .db
            .read(&id, |tx, id| Box::pin(principal_get(tx, *id)));
        read.await.unwrap().unwrap().mail
    }

    async fn secrets(&self, id: PrincipalId, kind: Secret) -> u64 {
        let args = (id.0, kind);
        let read = self.hub.db.read(&args, |tx, (id, kind)| {
            Box::pin(secret_count(tx, *id, *kind))
        });
        read.await.unwrap()
    }

    async fn login(&self, name: &str, password: &str) -> bool {
        let password = password.as_bytes().to_vec().into();
        let index = self.hub.index();
        index.login(name, password, here(), now()).await.is_ok()
    }
}

fn here() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

fn post(port: u16) -> Post {
    let smtp = Smtp::new(SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        ca_file: None,
        login: None,
        hello: "reg.example".to_owned(),
        patience: Duration::from_secs(10),
    });
    Post::new(PostOptions {
        smtp: smtp.unwrap(),
        from: "reg@example.org".to_owned(),
        server: "reg.example".to_owned(),
        base: "https://reg.example".to_owned(),
    })
    .unwrap()
}

fn stranger() -> Caller {
    stranger_at(now())
}

fn stranger_at(now: SystemTime) -> Caller {
    Caller {
        who: Who::stranger(here()),
        name: String::new(),
        request: 3,
        now,
    }
}

fn minutes(count: u64) -> SystemTime {
    now() + Duration::from_mins(count)
}

fn joining(name: &str) -> Joining {
    Joining {
        name: name.to_owned(),
        full_name: None,
        password: NewPassword::plain("battery staple"),
    }
}

fn signing(name: &str, mail: &str) -> NewAccount {
    NewAccount {
        mail: mail.to_owned(),
        ..account(name)
    }
}

fn invitation(mail: &str, name: &str) -> NewInvitation {
    NewInvitation {
        mail: mail.to_owned(),
        name: name.to_owned(),
        ..NewInvitation::default()
    }
}
