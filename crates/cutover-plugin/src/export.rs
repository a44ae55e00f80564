//! `export!`: makes a plugin type a component.

/// Makes a component of a plugin: `export!(MyPlugin: split)`, or more of `split`, `rewrite`, `fallback`,
/// `normalise`.
///
/// The type must implement [`Plugin`](crate::Plugin) and the trait of every hook it names. Write it once,
/// in the root of a `cdylib`; natively it only checks the traits.
#[macro_export]
macro_rules! export {
    ($plugin:ident : $($hook:ident),+ $(,)?) => {
        const _: () = {
            $( $crate::__check_hook!($plugin, $hook); )+

            #[cfg(target_arch = "wasm32")]
            const _: () = {
                struct Guest;

                ::std::thread_local! {
                    static PLACE: $crate::__glue::Slot<$plugin> =
                        const { $crate::__glue::Slot::new() };
                }

                impl $crate::__glue::LifecycleGuest for Guest {
                    fn configure(
                        environment: $crate::__glue::Environment,
                    ) -> ::std::result::Result<$crate::__glue::Manifest, ::std::string::String> {
                        PLACE.with(|place| place.configure(environment))
                    }
                }
                $crate::__glue::export_lifecycle!(Guest with_types_in $crate::__glue::lifecycle);

                $( $crate::__export_hook!(Guest, PLACE, $hook); )+
            };
        };
    };
}

/// Does the plugin have the hook it names?
#[doc(hidden)]
#[macro_export]
macro_rules! __check_hook {
    ($plugin:ident, split) => {
        const _: fn() = || {
            fn check<T: $crate::Split>() {}
            check::<$plugin>();
        };
    };
    ($plugin:ident, rewrite) => {
        const _: fn() = || {
            fn check<T: $crate::Rewrite>() {}
            check::<$plugin>();
        };
    };
    ($plugin:ident, fallback) => {
        const _: fn() = || {
            fn check<T: $crate::Fallback>() {}
            check::<$plugin>();
        };
    };
    ($plugin:ident, normalise) => {
        const _: fn() = || {
            fn check<T: $crate::Normalise>() {}
            check::<$plugin>();
        };
    };
    ($plugin:ident, $other:ident) => {
        ::std::compile_error!(::std::concat!(
            "`",
            ::std::stringify!($other),
            "` is not a hook; the hooks are split, rewrite, fallback and normalise"
        ));
    };
}

/// Exports one hook.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_hook {
    ($guest:ident, $place:ident, split) => {
        impl $crate::__glue::SplitGuest for $guest {
            fn decide(view: $crate::__glue::View) -> $crate::__glue::Decision {
                $place.with(|place| place.decide(&view))
            }
        }
        $crate::__glue::export_split!($guest with_types_in $crate::__glue::split);
    };
    ($guest:ident, $place:ident, rewrite) => {
        impl $crate::__glue::RewriteGuest for $guest {
            fn on_request(view: $crate::__glue::View, backend: u16) {
                $place.with(|place| place.on_request(&view, backend));
            }
            fn on_response(view: $crate::__glue::View, backend: u16, status: u16) {
                $place.with(|place| place.on_response(&view, backend, status));
            }
        }
        $crate::__glue::export_rewrite!($guest with_types_in $crate::__glue::rewrite);
    };
    ($guest:ident, $place:ident, fallback) => {
        impl $crate::__glue::FallbackGuest for $guest {
            fn on_failure(
                view: $crate::__glue::View,
                failure: $crate::__glue::Failure,
            ) -> $crate::__glue::Action {
                $place.with(|place| place.on_failure(&view, failure))
            }
        }
        $crate::__glue::export_fallback!($guest with_types_in $crate::__glue::fallback);
    };
    ($guest:ident, $place:ident, normalise) => {
        impl $crate::__glue::NormaliseGuest for $guest {
            fn make_comparable(
                view: $crate::__glue::View,
                reply: $crate::__glue::Reply,
            ) -> $crate::__glue::Outcome {
                $place.with(|place| place.make_comparable(&view, &reply))
            }
        }
        $crate::__glue::export_normalise!($guest with_types_in $crate::__glue::normalise);
    };
    // Reported by the check, once.
    ($guest:ident, $place:ident, $other:ident) => {};
}

#[cfg(target_arch = "wasm32")]
#[path = "glue.rs"]
pub mod glue;

/// Natively there is nothing to glue: tests call the traits.
#[cfg(not(target_arch = "wasm32"))]
pub mod glue {}
