//! Mail: what goes out, and how it gets there.
//!
//! Whatever needs a letter writes a task into the outbox, in its own transaction; a request waits for no mail server. One loop
//! ([`Hub::post`](crate::Hub::post)) takes tasks out, makes the letter and hands it to the server. No secret waits in the outbox: a letter's token
//! is made when it is sent, and is void again where that failed. Whether there is somebody whom a stranger asks about is looked up
//! here as well, so that the answer to the stranger takes the same way for everybody.

mod address;
mod asked;
mod letters;
mod post;
mod prepare;
mod rounds;
mod tasks;

pub use self::address::Address;
pub use self::post::{Post, PostOptions, PostStats};
pub use self::rounds::Waited;
pub(crate) use self::rounds::no_post;
pub use self::tasks::WaitingMail;
pub(crate) use self::tasks::{Task, What, post};
