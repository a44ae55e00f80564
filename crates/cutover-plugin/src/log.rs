//! Words for the operator: for panics and `configure`, never needed to decide.

/// Sends one line to the operator's log. The host bounds it. In unit tests it can be read back with
/// [`testing::said`](crate::testing::said).
pub fn say(text: &str) {
    destination::say(text);
}

/// Makes a panic tell its message and place before it becomes an anonymous trap.
#[cfg(target_arch = "wasm32")]
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| say(&panic.to_string())));
}

#[cfg(target_arch = "wasm32")]
mod destination {
    pub(super) fn say(text: &str) {
        crate::bindings::lifecycle::cutover::plugin::log::say(text);
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod destination {
    use std::cell::RefCell;

    thread_local! {
        static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn say(text: &str) {
        SAID.with_borrow_mut(|said| said.push(text.to_owned()));
    }

    pub(crate) fn take() -> Vec<String> {
        SAID.take()
    }
}
