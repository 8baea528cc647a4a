//! The budget of memory for a whole run: what is charged to it is what is used, and a run stays within it.

use serde_json::Value;

use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::tree::Tree;

const MIB: u64 = 1 << 20;

/// The report of a run of `guest` over a file of 10 lines.
fn report(guest: &Guest, args: &[&str]) -> Value {
    let tree = Tree::new();
    tree.file("a.txt", "line\n".repeat(10));
    Host::run(&guest.file(&tree))
        .within(tree.path())
        .args(["a.txt", "--report", "report.json"])
        .args(args)
        .ended()
        .exits(0);
    serde_json::from_slice(&tree.read("report.json")).unwrap()
}

#[test]
fn what_is_charged_is_what_the_process_uses() {
    let args = ["--threads", "1", "--per-source", "--memory", "512MiB"];
    let idle = report(&Guest::default(), &args);
    // 3000 pages of 64 KiB, each written to.
    let push = "(drop (memory.grow (i32.const 3000)))
        (memory.fill (i32.const 131072) (i32.const 7) (i32.const 196608000))";
    let grown = report(&Guest { push, ..Guest::default() }, &args);
    let more = |figure: &str| {
        let of = |report: &Value| report[figure].as_u64().unwrap();
        of(&grown) - of(&idle)
    };
    let (charged, used) = (more("memory_bytes_peak"), more("peak_rss_bytes"));
    assert_eq!(charged, 3000 << 16);
    assert!(used.abs_diff(charged) < charged / 10, "charged {charged}, used {used}");
}

#[test]
fn a_run_that_one_worker_does_not_fit_into_is_refused_with_figures() {
    let tree = Tree::new();
    tree.file("a.txt", "line\n");
    let ended = Host::run(&Guest::default().file(&tree))
        .within(tree.path())
        .args(["a.txt", "--memory-total", "64MiB"])
        .ended()
        .exits(2);
    // Two instances of 256 MiB, 4 chunks of 512 KiB, a decoder's 16 MiB, and a fourth of all for results that wait.
    let least = (2 * 256 + 2 + 16 + 16) * MIB;
    let told = format!(
        "--memory-total: one worker needs {least} bytes of memory, more than all of {}",
        64 * MIB
    );
    assert!(ended.stderr.contains(&told), "{ended}");
    assert!(ended.stderr.contains("hint: raise --memory-total, or lower --memory"), "{ended}");
}

#[test]
fn fewer_workers_are_used_where_more_do_not_fit() {
    let args = ["--threads", "8", "--per-source", "--memory", "64MiB"];
    assert_eq!(report(&Guest::default(), &args)["threads"], 8);
    // A worker needs 64 + 2 + 16 MiB; for results that wait is a fourth of all, and 64 MiB at most.
    for (total, threads) in
        [("218MiB", 1), ("219MiB", 2), ("309MiB", 2), ("310MiB", 3), ("1GiB", 8)]
    {
        let total = ["--memory-total", total];
        let report = report(&Guest::default(), &[args.as_slice(), &total].concat());
        assert_eq!(report["threads"], threads, "{total:?}");
    }
}
