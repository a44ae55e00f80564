//! What wit-bindgen generates from `wit/cutover.wit`, and nothing else.
//!
//! The hooks are generated apart, each as a world of its own, because a component exports exactly the
//! hooks that its author names: `export!` puts the parts together and wit-component unites their worlds.
#![allow(
    unsafe_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::use_self,
    reason = "generated code"
)]

/// `configure`, the shared words, and the log.
pub mod lifecycle {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package cutover:sdk-lifecycle;
            world lifecycle-part {
                import cutover:plugin/types@0.1.0;
                import cutover:plugin/log@0.1.0;
                export cutover:plugin/lifecycle@0.1.0;
            }
        ",
        generate_all,
        generate_unused_types: true,
        pub_export_macro: true,
        export_macro_name: "export_lifecycle",
    });
}

/// `decide`.
pub mod split {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package cutover:sdk-split;
            world split-part { export cutover:plugin/split@0.1.0; }
        ",
        with: {
            "cutover:plugin/types@0.1.0": crate::bindings::lifecycle::cutover::plugin::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_split",
    });
}

/// `on-request`, `on-response`, and the edits they make.
pub mod rewrite {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package cutover:sdk-rewrite;
            world rewrite-part {
                import cutover:plugin/edits@0.1.0;
                export cutover:plugin/rewrite@0.1.0;
            }
        ",
        with: {
            "cutover:plugin/types@0.1.0": crate::bindings::lifecycle::cutover::plugin::types,
            "cutover:plugin/edits@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_rewrite",
    });
}

/// `on-failure`.
pub mod fallback {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package cutover:sdk-fallback;
            world fallback-part { export cutover:plugin/fallback@0.1.0; }
        ",
        with: {
            "cutover:plugin/types@0.1.0": crate::bindings::lifecycle::cutover::plugin::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_fallback",
    });
}

/// `make-comparable`.
pub mod normalise {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package cutover:sdk-normalise;
            world normalise-part { export cutover:plugin/normalise@0.1.0; }
        ",
        with: {
            "cutover:plugin/types@0.1.0": crate::bindings::lifecycle::cutover::plugin::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_normalise",
    });
}
