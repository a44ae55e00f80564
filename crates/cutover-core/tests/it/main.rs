//! What outsiders rely on: no allocation, published vectors, other systems' fixtures, statistics of
//! cohorts.

mod allocation;
mod fixtures;
mod golden;
mod statistics;
