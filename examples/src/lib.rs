//! cutover embedded in three kinds of gateway. Each module is a whole, small proxy; each runs in the tests against real
//! sockets, and from the command line: `cargo run -p cutover-examples --bin embed-hyper`.

pub mod embed_axum;
pub mod embed_hyper;
pub mod embed_pingora;
pub mod setup;
