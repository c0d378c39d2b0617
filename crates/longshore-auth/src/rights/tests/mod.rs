//! Decisions over rows in a database, as they are made.

mod cases;
mod elsewhere;
mod ends;
mod limits;
mod model;
mod parties;
mod suppose;
mod world;
