//! The budget of memory for a whole run: what is charged to it is what is used, and a run stays
//! within it.

use serde_json::Value;
use zstd_safe::{CCtx, CParameter};

use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::pack;
use crate::support::plugins::plugin;
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

/// Within 100 ms no machine writes to all of it, so a part that is not written shows that the
/// instruction was interrupted.
#[test]
fn an_instruction_over_a_large_memory_is_stopped_before_its_end() {
    let tree = Tree::new();
    tree.file("a.txt", "line\n");
    let push = "(drop (memory.grow (i32.const 60000)))
        (memory.fill (i32.const 131072) (i32.const 7) (i32.const 3900000000))";
    let ended = Host::run(&Guest { push, ..Guest::default() }.file(&tree))
        .within(tree.path())
        .args(["a.txt", "--threads", "1", "--memory", "4GiB", "--timeout", "100ms"])
        .args(["--report", "report.json"])
        .ended()
        .exits(1);
    assert!(ended.text().contains("the plugin did not return from push within 100ms"));
    let report: Value = serde_json::from_slice(&tree.read("report.json")).unwrap();
    let used = report["peak_rss_bytes"].as_u64().unwrap();
    assert!(used < 2900 * MIB, "{used}");
}

/// One frame of zstd, whose window has so many bits.
fn zstd_of_window(plain: &[u8], bits: u32) -> Vec<u8> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::CompressionLevel(1)).unwrap();
    context.set_parameter(CParameter::WindowLog(bits)).unwrap();
    let mut packed = vec![0; zstd_safe::compress_bound(plain.len())];
    let length = context.compress2(&mut packed[..], plain).unwrap();
    packed.truncate(length);
    packed
}

/// Pages of the binary that one run touches and another does not.
const CODE_BYTES: u64 = 3 * MIB;

/// What sandboxes are made with and a run may leave untouched: 2 MiB for each of two workers, what
/// they hand over, and the total.
const UNTOUCHED_BYTES: u64 = 4 * 2 * MIB;

/// Of the process itself there is what a run over next to nothing takes: its code, the engine, and
/// stacks of threads. Files are read, not mapped, so that nothing of the page cache counts.
#[test]
fn what_is_charged_for_streams_and_their_decoders_is_what_the_process_uses() {
    let tree = Tree::new();
    let text = pack::text(40 << 20);
    tree.file("tiny.txt", "line\n");
    tree.file("plain.txt", &text);
    tree.file("wide.zst", zstd_of_window(&text, 25));
    tree.file("one.xz", pack::xz(&text, text.len()));
    tree.file("many.xz", pack::xz(&text, 1 << 20));
    tree.file("one.gz", pack::gzip(&text));
    tree.file("many.gz", pack::bgzf(&text));
    tree.file("one.sz", pack::snappy(&text));
    let figures = |plugin_name: &str, file: &str| {
        Host::run(&plugin(plugin_name))
            .within(tree.path())
            .args([file, "-j2", "--io", "read", "--report", "report.json", "--out", "out"])
            .args(["--exists", "replace"])
            .ended()
            .exits(0);
        let report: Value = serde_json::from_slice(&tree.read("report.json")).unwrap();
        let of = |figure: &str| report[figure].as_u64().unwrap();
        (of("memory_bytes_peak"), of("peak_rss_bytes"))
    };
    for name in ["wordcount", "upcase"] {
        figures(name, "tiny.txt"); // compiles it
        let (charged, used) = figures(name, "tiny.txt");
        let process = used - charged;
        for file in ["plain.txt", "wide.zst", "one.xz", "many.xz", "one.gz", "many.gz", "one.sz"] {
            let (charged, used) = figures(name, file);
            let message = process + charged;
            let off = used / 10 + CODE_BYTES;
            assert!(
                used <= message + off && message <= used + off + UNTOUCHED_BYTES,
                "{name} {file}: {charged} charged beside {process}, {used} used"
            );
            if file == "wide.zst" {
                assert!((32 * MIB..48 * MIB).contains(&charged), "{name}: {charged}");
            }
        }
    }
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
    // Two instances of 256 MiB, 4 chunks of 512 KiB, a decoder's 16 MiB, and a fourth of all for
    // results that wait.
    let least = (2 * 256 + 2 + 16 + 16) * MIB;
    let message = format!(
        "--memory-total: one worker needs {least} bytes of memory, more than all of {}",
        64 * MIB
    );
    assert!(ended.stderr.contains(&message), "{ended}");
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
