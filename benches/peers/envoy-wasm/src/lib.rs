//! Envoy's Wasm as a peer: what `../envoy-split.lua` and `../envoy-edit.lua` do, as a proxy-wasm filter. Which of the two,
//! its configuration says in one word: `split` or `edit`.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { job: Job::Split }));
}}

/// The header that `edit` sets, and what it sets it to: as in `benches/src/e2e/edited.rs`.
const NAME: &str = "x-1";
const EDITED: &str = "a value of a usual size";

#[derive(Clone, Copy)]
enum Job {
    Split,
    Edit,
}

struct Root {
    job: Job,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.job = match self.get_plugin_configuration().as_deref() {
            Some(b"split") => Job::Split,
            Some(b"edit") => Job::Edit,
            _ => {
                // Envoy then refuses to start. If it cannot be told why, it refuses all the same.
                let _ = hostcalls::log(LogLevel::Error, "configuration: neither split nor edit");
                return false;
            }
        };
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.job {
            Job::Split => Box::new(Split),
            Job::Edit => Box::new(Edit),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// 5 % of the users to new, which the route knows by `x-side`.
struct Split;

impl Context for Split {}

impl HttpContext for Split {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let user = self.get_http_request_header_bytes("x-user-id");
        if user.is_some_and(|user| goes_to_new(&user)) {
            // Envoy chooses the route anew after each edit of a request's headers.
            self.add_http_request_header("x-side", "new");
        }
        Action::Continue
    }
}

fn goes_to_new(user: &[u8]) -> bool {
    let hash = user.iter().fold(2_166_136_261, |hash, byte| step(hash, *byte));
    hash % 10_000 < 500
}

/// FNV-1a as LuaJIT computes it: `bit.bxor` is signed, and the product is rounded to a double before it is reduced.
fn step(hash: u32, byte: u8) -> u32 {
    let mixed = (hash ^ u32::from(byte)).cast_signed();
    // Below 2⁵⁶, so it is a whole number, and its low half is the remainder.
    (f64::from(mixed) * 16_777_619.0) as i64 as u32
}

/// One header of the request and one of the reply.
struct Edit;

impl Context for Edit {}

impl HttpContext for Edit {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_request_header(NAME, Some(EDITED));
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header(NAME, Some(EDITED));
        Action::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_hashed_as_luajit_does_it() {
        for user in ["user-53", "user-63", "user-76", "user-86", "user-91"] {
            assert!(goes_to_new(user.as_bytes()), "{user}");
        }
        // In whole numbers these would go to new.
        for user in ["user-14", "user-38", "user-61", "user-82", "user-132"] {
            assert!(!goes_to_new(user.as_bytes()), "{user}");
        }
    }
}
