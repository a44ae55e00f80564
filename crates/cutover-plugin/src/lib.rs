//! cutover-plugin
