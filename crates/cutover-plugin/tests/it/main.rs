//! The SDK as an author uses it, natively.

mod beta;
mod source;
mod templates;
mod wit;
