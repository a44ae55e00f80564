//! cutover-test
