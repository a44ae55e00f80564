//! Guards HTTP/1 request heads.
pub mod body;
pub mod framing;
pub mod head;
