//! Collection, tried: what it frees, what it must never take, and in whatever order things happen.

mod bench;
mod check;
mod clocks;
mod concurrent;
mod frees;
mod interleaved;
mod keeps;
mod undo;
