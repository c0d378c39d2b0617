//! Decisions over rows in a database, as they are made.

mod cases;
mod elsewhere;
mod ends;
mod limits;
mod model;
mod suppose;
mod world;
