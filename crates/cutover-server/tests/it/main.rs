//! The server between real sockets: one binary, so that everything is linked once.

mod fallback;
mod protocol;
mod proxy_split;
mod proxy_upstream;
mod world;
