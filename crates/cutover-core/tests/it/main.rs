//! What outsiders rely on: no allocation, published vectors, other systems' fixtures, statistics of
//! cohorts, comparisons.

mod allocation;
mod compare;
mod fixtures;
mod golden;
mod statistics;
