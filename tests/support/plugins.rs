//! Where the built plugins are.

use std::env;
use std::path::{Path, PathBuf};

/// The plugin of that name, as `cargo xtask plugins` leaves it.
pub(crate) fn plugin(name: &str) -> PathBuf {
    let path = directory().join(name).with_extension("wasm");
    assert!(path.is_file(), "{}: missing; run `cargo xtask plugins`", path.display());
    path
}

/// Named by `cargo xtask test`; else beside the directory of the binary, in the target directory.
pub(crate) fn directory() -> PathBuf {
    if let Some(named) = env::var_os("GRISTMILL_TEST_PLUGINS") {
        return named.into();
    }
    let host = Path::new(env!("CARGO_BIN_EXE_host"));
    host.ancestors().nth(2).expect("the binary is in TARGET/PROFILE").join("plugins")
}
