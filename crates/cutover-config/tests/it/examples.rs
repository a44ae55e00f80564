//! Every sample configuration loads, and without a warning: people copy them.

use crate::surroundings::{Fixed, usual};
use cutover_config::load;
use std::path::PathBuf;

#[test]
fn every_sample_configuration_loads_without_a_warning() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let around = Fixed { today: None, ..usual() };
        match load(&text, &name, &around) {
            Ok(config) => assert_eq!(config.warnings, [], "{name}"),
            Err(report) => panic!("{report}"),
        }
        names.push(name);
    }
    names.sort();
    let expected = ["grpc.toml", "plugins.toml", "strangler.toml", "tls.toml", "websocket.toml"];
    for name in expected {
        assert!(names.iter().any(|known| known == name), "{name} is missing in {names:?}");
    }
}
