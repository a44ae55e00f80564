//! The SDK as data: its own files, so that `cutover plugin new` can put them beside a new plugin.

macro_rules! carry {
    ($($file:literal)*) => {
        /// Every file of the SDK with its path in the SDK's folder. Written there they are the SDK.
        pub const FILES: &[(&str, &str)] = &[
            ("Cargo.toml", MANIFEST),
            ("wit/cutover.wit", include_str!("../wit/cutover.wit")),
            $((concat!("src/", $file), include_str!($file)),)*
        ];
    };
}

carry! {
    "backend.rs"
    "bindings.rs"
    "decision.rs"
    "edits.rs"
    "export.rs"
    "failure.rs"
    "glue.rs"
    "lib.rs"
    "log.rs"
    "manifest.rs"
    "percent.rs"
    "plugin.rs"
    "reply.rs"
    "source.rs"
    "testing.rs"
    "testing/place.rs"
    "testing/request.rs"
    "view.rs"
}

/// Its own manifest names what only the workspace knows, so a copy gets another one.
const MANIFEST: &str = concat!(
    "# The SDK of cutover ",
    env!("CARGO_PKG_VERSION"),
    ", as that binary carried it: a copy, not to be edited.\n",
    "[package]\n",
    "name = \"cutover-plugin\"\n",
    "description = \"",
    env!("CARGO_PKG_DESCRIPTION"),
    "\"\n",
    "version = \"",
    env!("CARGO_PKG_VERSION"),
    "\"\n",
    "edition = \"2024\"\n",
    "rust-version = \"",
    env!("CARGO_PKG_RUST_VERSION"),
    "\"\n",
    "license = \"",
    env!("CARGO_PKG_LICENSE"),
    "\"\n",
    "publish = false\n\n",
    "[features]\n",
    "source = []\n\n",
    "[dependencies.wit-bindgen]\n",
    "version = \"0.61\"\n",
    "default-features = false\n",
    "features = [\"bitflags\", \"macros\", \"realloc\"]\n",
);
