//! Tests of the route table: the documented precedence, pattern errors, conflicts, the naive oracle, bounds.
mod precedence;
