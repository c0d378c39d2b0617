//! Decisions over rows in a database, as they are made.

mod cases;
mod limits;
mod model;
mod world;
