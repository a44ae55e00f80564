//! The state machine: its whole table, its stories as transcripts, and what holds for every story.

mod added;
mod authority;
mod borders;
mod failures;
mod property;
mod stories;
mod table;
mod world;
