//! Tests of the public surface: texts in, snapshots or findings out.

mod change;
mod examples;
mod findings;
mod fuzz;
mod large;
mod print;
mod published;
mod sample;
mod surroundings;
