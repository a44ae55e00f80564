//! Tests of evidence, by subject. Figures that were found by simulation are found again by
//! simulation.

mod baseline;
mod chance;
mod detector;
mod judge;
mod kayenta;
mod pass;
mod power;
mod recording;
mod sentences;
mod simulation;
