//! The pages say what is: their commands run, their links lead somewhere, and the page of limits
//! has those of the code.

mod limits;
mod plugin;
mod schemas;
mod troubleshooting;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::host::Host;
use super::support::plugins::directory;
use super::support::tree::Tree;

/// The pages, below the root of the project.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let below = |dir: &str| {
        let entries = fs::read_dir(root.join(dir)).unwrap();
        let mut pages: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect();
        pages.sort();
        pages
    };
    [below(""), below("host"), below("host/docs"), below("wit")].concat()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Blocks of code in a page that are in a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    page.split(&*fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|ended| ended.status.success())
}

#[test]
fn each_command_of_the_pages_runs() {
    let mut count = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        let tree = Tree::new();
        fs::create_dir(tree.path().join("target")).unwrap();
        symlink(directory(), tree.path().join("target/plugins")).unwrap();
        symlink(env!("CARGO_BIN_EXE_host"), tree.path().join("host")).unwrap();
        let sample = "host sample sample";
        for (at, file) in blocks(&page, "toml").into_iter().enumerate() {
            tree.file(if at == 0 { "clean.toml" } else { "more.toml" }, file);
        }
        let commands = blocks(&page, "sh");
        if !commands.iter().any(|block| block.contains(sample)) {
            Host::new().args(["sample", "sample"]).within(tree.path()).ended().exits(0);
        }
        for commands in commands {
            if commands.contains("jq ") && !has("jq") {
                continue;
            }
            let path_variable =
                format!("{}:{}", tree.path().display(), std::env::var("PATH").unwrap());
            let mut shell = Command::new("sh");
            shell.args(["-u", "-c", &exits(commands)]).current_dir(tree.path());
            let ended = shell.env("PATH", path_variable).output().unwrap();
            let message = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.success(), "{}: {commands}\n{message}", path.display());
            count += 1;
        }
    }
    assert!(count > 20, "{count} blocks");
}

/// The commands, each of which has to end with 0, or, where a line says so, with 1.
fn exits(commands: &str) -> String {
    let joined = commands.replace("\\\n", " ");
    let lines = joined.lines().map(|line| match line.split_once("# exits with 1") {
        Some((line, _)) => format!("{line}; [ $? = 1 ] || exit 9\n"),
        None => format!("{{ {line}\n}} || exit\n"),
    });
    lines.collect()
}

#[test]
fn each_link_of_the_pages_leads_somewhere() {
    let mut count = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for rest in page.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file =
                if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(file.exists(), "{}: {target}", path.display());
            let is_heading = |line: &str| {
                line.starts_with('#')
                    && line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-")
                        == heading
            };
            let has_heading = || fs::read_to_string(&file).unwrap().lines().any(is_heading);
            assert!(heading.is_empty() || has_heading(), "{}: {target}", path.display());
            count += 1;
        }
    }
    assert!(count > 20, "{count} links");
}

#[test]
fn the_readme_is_a_page_and_each_page_is_in_the_guide() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 130);
    for path in pages().iter().filter(|path| path.parent().unwrap().ends_with("docs")) {
        let topic = path.file_stem().unwrap().to_str().unwrap();
        let ended = Host::new().args(["guide", topic]).ended().exits(0);
        let title = fs::read_to_string(path).unwrap().lines().next().unwrap().to_string();
        assert_eq!(String::from_utf8(ended.stdout).unwrap().lines().next(), Some(&*title));
    }
}
