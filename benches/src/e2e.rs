//! What end-to-end measurements share: programs on cores of their own, a backend, a load, figures of pairs.

pub mod args;
pub mod backend;
pub mod bare;
pub mod edited;
pub mod head;
pub mod load;
pub mod pairs;
pub mod process;
pub mod reply;
pub mod sides;
pub mod turn;
