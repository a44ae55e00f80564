//! Scripts of the project, run on machines that lack things: the stubs of [`setup`] are such a machine.

mod setup;
