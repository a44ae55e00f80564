//! The server between real sockets: one binary, so that everything is linked once.

mod admin;
mod audit;
mod cli;
mod conduct;
mod dashboard;
mod demo;
mod early;
mod fallback;
mod frames;
mod guard;
mod ignores;
mod mirror;
mod moves;
mod plugin_author;
mod plugin_stories;
mod process;
mod protocol;
mod proxy_split;
mod proxy_upstream;
mod reload;
mod stages;
mod stale;
mod status;
mod tokens;
mod websocket;
mod world;
