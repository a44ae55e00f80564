//! The SDK as an author uses it, natively.

mod beta;
mod templates;
mod wit;
