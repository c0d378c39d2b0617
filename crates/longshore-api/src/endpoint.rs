//! What an endpoint is: a line of the table from which everything else is made.

use futures_util::future::BoxFuture;
use longshore_auth::rights::Action;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::body;
use crate::resources;

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The installation.
    System,
    /// The namespace in the path.
    Namespace,
    /// The home of the organisation in the path.
    Organisation,
    /// The home of the user in the path.
    User,
    /// The repository in the path.
    Repository,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Everybody.
    Nothing,
    /// Whoever has logged in.
    Login,
    /// Everybody, although it may change something: that is decided by a secret in the body, or goes by a letter.
    Anybody,
    /// Whoever may do that.
    Right(Action, On),
    /// Whoever may do that, and everybody about themselves.
    RightOrSelf(Action),
    /// Whoever may do that, and everybody about themselves who has logged in with the password, or with a browser.
    RightOrPassword(Action),
    /// It depends on what the body says.
    Depends,
    /// Whoever may see what is asked about; nothing is changed, whatever the method.
    Question,
}

/// A parameter of a query.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What it may be.
    pub kind: Kind,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many are wanted.
    Limit,
    /// Where a list goes on.
    Cursor,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// The path of a namespace.
    Path,
    /// A text that must be there.
    Text,
}

/// What is sent or answered, as a schema.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Its name in the document.
    pub name: fn() -> String,
    /// What it is, and what it refers to.
    pub schemas: fn(&mut Vec<(String, RefOr<Schema>)>),
}

/// What is answered when all is well.
#[derive(Debug, Clone, Copy)]
pub enum Gives {
    /// Nothing, 204.
    Nothing,
    /// One, 200.
    One(Shape),
    /// A part of a list of them, 200.
    Page(Shape),
    /// One that was made, 201.
    Made(Shape),
    /// What was begun and is not waited for, 202.
    Begun(Shape),
    /// Lines of JSON, 200.
    Lines(Shape),
    /// The description of this API, 200.
    Document,
}

/// What answers.
pub(crate) type Run = for<'a> fn(&'a Api, Ask) -> BoxFuture<'a, Answer>;

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Shows.
    Get,
    /// Makes, or asks what needs a body.
    Post,
    /// Makes it so.
    Put,
    /// Changes parts.
    Patch,
    /// Takes away.
    Delete,
}

impl Way {
    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Way::Get => "GET",
            Way::Post => "POST",
            Way::Put => "PUT",
            Way::Patch => "PATCH",
            Way::Delete => "DELETE",
        }
    }
}

/// An endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// Its name, such as `user-list`.
    pub id: &'static str,
    /// The method.
    pub method: Way,
    /// The path below the prefix, with names of parameters in braces. What ends in a name with slashes goes on after `/-/`.
    pub path: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Who may ask.
    pub needs: Needs,
    /// What the query may say.
    pub query: &'static [Parameter],
    /// What is sent.
    pub body: Option<Shape>,
    /// The most bytes of a body.
    pub most: usize,
    /// What is answered.
    pub gives: Gives,
    /// Whether a change may be made on the condition that nobody else made one meanwhile (`If-Match`), and what is answered has a
    /// mark (`ETag`).
    pub marked: bool,
    /// Whether the answer has a secret that is shown once, and is not kept to be said again.
    pub secret: bool,
    pub(crate) run: Run,
}

impl Endpoint {
    /// Whether it changes anything by who asks for it.
    pub fn changes(&self) -> bool {
        self.method != Way::Get && !matches!(self.needs, Needs::Question | Needs::Anybody)
    }

    /// The part of the document it is in: the first word of its path.
    pub fn family(&self) -> &'static str {
        let path = self.path.trim_start_matches('/');
        let first = path.split('/').next().unwrap_or_default();
        // What belongs to something is told apart by what it is.
        match self.path.rsplit_once("/-/") {
            Some((_, rest)) => match rest.split('/').next().unwrap_or_default() {
                "rename" | "star" => first,
                word => word,
            },
            None => first,
        }
    }
}

/// The schema of a type.
pub(crate) const fn shape<T: utoipa::ToSchema>() -> Shape {
    Shape {
        name: name::<T>,
        schemas: schemas::<T>,
    }
}

fn name<T: utoipa::ToSchema>() -> String {
    T::name().into_owned()
}

fn schemas<T: utoipa::ToSchema>(list: &mut Vec<(String, RefOr<Schema>)>) {
    list.push((T::name().into_owned(), T::schema()));
    T::schemas(list);
}

/// The parameters of every list.
pub(crate) const PAGED: &[Parameter] = &[LIMIT, CURSOR];
/// How many are wanted.
pub(crate) const LIMIT: Parameter = Parameter {
    name: "limit",
    about: "how many are wanted at the most",
    kind: Kind::Limit,
};
/// Where a list goes on.
pub(crate) const CURSOR: Parameter = Parameter {
    name: "cursor",
    about: "where to go on: what the part before said in `next`",
    kind: Kind::Cursor,
};

/// A line of the table, as most are; the rest is set by name.
pub(crate) const fn line(
    id: &'static str,
    (method, path): (Way, &'static str),
    about: &'static str,
    needs: Needs,
    gives: Gives,
    run: Run,
) -> Endpoint {
    Endpoint {
        id,
        method,
        path,
        about,
        needs,
        query: match gives {
            Gives::Page(_) => PAGED,
            _ => &[],
        },
        body: None,
        most: body::MOST,
        gives,
        marked: false,
        secret: false,
        run,
    }
}

impl Endpoint {
    pub(crate) const fn takes(self, body: Shape) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// A body may be longer here than elsewhere.
    pub(crate) const fn up_to(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The answer has a secret that is shown this once.
    pub(crate) const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    pub(crate) const fn asks(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// The answer has a secret that is shown this once.
    pub(crate) const fn shows_once(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    pub(crate) const fn marked(self) -> Self {
        Self {
            marked: true,
            ..self
        }
    }
}

/// Every endpoint, in the order of the document.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    resources::ALL.iter().flat_map(|part| part.iter())
}

/// A reply of nothing.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is the last word of handlers that may fail"
)]
pub(crate) fn nothing() -> Answer {
    Ok(Reply::nothing())
}
