//! Compiled plugins are kept, and nothing is run that was not kept by us.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::words;
use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn with_cache(cache: &Path, flags: &[&str]) -> Ended {
    let tree = words();
    Host::new()
        .args(["run", "--total", "--plugin"])
        .arg(plugin("wordcount"))
        .arg("--cache")
        .arg(cache)
        .hide(cache, "[cache]")
        .within(tree.path())
        .args(flags)
        .arg("one.txt")
        .ended()
        .exits(0)
}

/// The compiled plugins in a cache.
fn compiled(cache: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "code")).collect()
}

#[test]
fn a_plugin_is_compiled_once() {
    let tree = Tree::new();
    let cache = tree.path().join("made/for/it");
    let first = with_cache(&cache, &[]);
    let [path] = &compiled(&cache)[..] else { panic!("one plugin, one entry") };
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);
    // What is compiled is put in place as a new file.
    let inode = fs::metadata(path).unwrap().ino();
    let second = with_cache(&cache, &[]);
    assert_eq!(fs::metadata(path).unwrap().ino(), inode);
    assert_eq!(compiled(&cache).len(), 1);
    assert_eq!((&first.stdout, &*first.stderr), (&second.stdout, &*second.stderr));
    assert_eq!(second.stderr, "");
}

#[test]
fn compiled_code_that_was_tampered_with_is_not_run() {
    let tree = Tree::new();
    let cache = tree.path().join("cache");
    let clean = with_cache(&cache, &[]);
    let path = compiled(&cache).pop().unwrap();
    let mut code = fs::read(&path).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 1;
    fs::write(&path, code).unwrap();
    let tampered = with_cache(&cache, &[]);
    let warning = format!(" WARN {}: not what was written: compiling again\n", path.display());
    assert_eq!(tampered.stderr, warning);
    assert_eq!(tampered.stdout, clean.stdout);
    assert_eq!(with_cache(&cache, &[]).stderr, "", "what was compiled again is kept");
}

#[test]
fn a_cache_that_others_can_reach_is_not_used() {
    let tree = Tree::new();
    let cache = tree.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
    insta::assert_snapshot!(with_cache(&cache, &[]), @r#"
    exit: 0
    --- stdout
    {"total":{"lines":2,"words":3,"bytes":17},"sources":1,"failed":0,"bytes":17}
    --- stderr
     WARN [cache]: not used: others have access to it; want mode 0700, its key 0600
    "#);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
}

#[test]
fn the_cache_is_the_users_own_unless_named() {
    let (tree, home) = (words(), Tree::new());
    let host = || {
        let host = Host::new().within(tree.path()).env("XDG_CACHE_HOME", home.path());
        host.args(["run", "--total", "--plugin"]).arg(plugin("wordcount")).arg("one.txt")
    };
    host().arg("--no-cache").ended().exits(0);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    host().ended().exits(0);
    assert_eq!(compiled(&home.path().join("gristmill/code")).len(), 1);
}
