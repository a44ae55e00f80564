//! The interface that is published with the SDK is the project's interface.

#[test]
fn the_sdk_carries_the_projects_interface() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let original = root.join("../../wit/cutover.wit");
    let Ok(original) = std::fs::read_to_string(&original) else {
        println!("SKIPPED: {} is not here: this is a published crate", original.display());
        return;
    };
    let copy = std::fs::read_to_string(root.join("wit/cutover.wit")).expect("the SDK's interface");
    assert!(copy == original, "copy wit/cutover.wit over crates/cutover-plugin/wit/cutover.wit");
}
