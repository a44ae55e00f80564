//! Tests of the public surface: texts in, snapshots or findings out.

mod change;
mod course;
mod examples;
mod findings;
mod fuzz;
mod identity;
mod large;
mod print;
mod published;
mod sample;
mod surroundings;
