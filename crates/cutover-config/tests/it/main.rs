//! Tests of the public surface: texts in, snapshots or findings out.

mod sample;
mod surroundings;
