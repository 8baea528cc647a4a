//! Sources on a web server: results and errors are those of the same files, whatever the server
//! does; if it misbehaves too much, the source fails with an error that names it.

use std::io::Read;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{report, rows, run_over};
use crate::support::host::{Ended, Host};
use crate::support::pack::{bgzf, forms, gzip, text, xz};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;
use crate::support::web::{Fault, Page, Request, Web};

/// `host run` with a plugin over URLs, a row for each.
pub(super) fn remote(name: &str, args: &[&str], urls: &[String]) -> Host {
    Host::run(&plugin(name))
        .env("NO_PROXY", "127.0.0.1")
        .args(["--per-source", "--format", "jsonl"])
        .args(args)
        .args(urls)
}

/// What is said of each source, in order.
pub(super) fn said(ended: &Ended) -> Vec<String> {
    let mut lines: Vec<_> = ended.text().lines().collect();
    lines.pop();
    let said =
        |line: &str| line.split_once("\",").unwrap_or_else(|| panic!("{ended}")).1.to_string();
    lines.into_iter().map(said).collect()
}

/// What wordcount says of a plain file.
fn said_of(plain: &[u8]) -> String {
    let tree = Tree::with(&[("plain", plain)]);
    rows(&run_over(&plugin("wordcount"), &tree, &[]).exits(0)).remove(0).1
}

/// What wordcount says of the one page of a server.
fn counted(web: &Web, args: &[&str]) -> Ended {
    remote("wordcount", args, &[web.url("/page")]).ended()
}

#[track_caller]
fn assert_counts(page: Page, plain: &[u8]) -> Vec<Request> {
    let web = Web::of("/page", page);
    let ended = counted(&web, &["--threads", "2"]).exits(0);
    assert_eq!(said(&ended), [said_of(plain)], "{ended}");
    web.asked()
}

/// Kind and message of the one failure, and standard error.
#[track_caller]
fn failed(web: &Web) -> (String, String, String) {
    let ended = counted(web, &["--threads", "2"]).exits(1);
    let error = ended.lines()[0]["error"].clone();
    let word = |key: &str| error[key].as_str().unwrap_or_else(|| panic!("{ended}")).to_string();
    (word("kind"), word("message"), ended.stderr)
}

#[test]
fn remote_sources_give_what_files_give_whatever_the_way() {
    let plain = text(9_500_000);
    let mut files = forms(&text(700_000));
    files.retain(|(name, _)| *name != "quality.br");
    files.extend([
        ("plain.txt", plain.clone()),
        ("large.gz", gzip(&plain)),
        ("large.bgz", bgzf(&plain)),
        ("large.xz", xz(&plain, 1 << 20)),
        ("gzip without a name for it", gzip(&plain[..100_000])),
        ("small", b"two words\n".to_vec()),
        ("empty", Vec::new()),
    ]);
    let tree = Tree::with(&files);
    let path = |name: &str| format!("/{}", name.replace(' ', "%20"));
    let web = Web::new(files.iter().map(|(name, bytes)| (path(name), Page::new(bytes.clone()))));
    let url = |name: &str| web.url(&format!("{}?signed=a%2Fb.zst&x=1", path(name)));
    let urls: Vec<_> = files.iter().map(|(name, _)| url(name)).collect();
    let name = |(name, _): &(&str, _)| tree.path().join(name).display().to_string();
    let names: Vec<_> = files.iter().map(name).collect();
    for name in ["wordcount", "checksum"] {
        let expected = said(&remote(name, &[], &names).ended().exits(0));
        for threads in ["1", "2", "5"] {
            for chunk_size in ["60KiB", "512KiB", "3MiB"] {
                let args = ["--threads", threads, "--chunk-size", chunk_size];
                let ended = remote(name, &args, &urls).ended().exits(0);
                assert_eq!(said(&ended), expected, "{name} {args:?}");
                assert!(ended.text().starts_with(&format!("{{\"source\":\"{}\"", urls[0])));
            }
        }
    }
    assert!(web.asked().iter().all(|request| request.path.ends_with("?signed=a%2Fb.zst&x=1")));
}

/// How often each byte of a page is asked for, where that is a part; and how many bytes are only
/// looked at.
fn times_asked(asked: &[Request], bytes: usize) -> (Vec<u8>, usize) {
    let mut times = vec![0; bytes];
    let mut looked = 0;
    for request in asked {
        let range = request.range.clone().expect("all is asked for in parts");
        let (start, end) =
            (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
        let end = end.min(bytes);
        if end - start == 64 << 10 {
            looked += end - start;
        } else {
            times[start..end].iter_mut().for_each(|times| *times += 1);
        }
    }
    (times, looked)
}

#[test]
fn hardly_a_byte_is_asked_for_twice() {
    let plain = text(40_000_000);
    let said = said_of(&plain);
    let web = Web::of("/page", Page::new(plain.clone()));
    for threads in ["1", "2", "3"] {
        let before = web.asked().len();
        let ended = counted(&web, &["--threads", threads]).exits(0);
        assert!(ended.text().contains(&said), "{ended}");
        let (times, looked) = times_asked(&web.asked()[before..], plain.len());
        let twice = times.iter().filter(|times| **times > 1).count();
        assert!(times.iter().all(|times| *times > 0 || looked > 0), "{threads} threads");
        // A worker that falls far behind the others finds that what it comes to has been let go.
        assert!(twice <= plain.len() / 4, "{threads} threads: {twice} bytes are asked for again");
        assert!(looked <= plain.len() / 8, "{threads} threads: {looked} bytes are looked at");
    }
    let later: Vec<_> =
        web.asked().into_iter().filter(|r| r.range.as_ref().unwrap().start > 0).collect();
    assert!(later.iter().all(|request| request.headers["if-match"] == "\"one\""));
}

#[test]
fn memory_is_bounded() {
    let line = b"a line of text that is as good as any other, over and over again\n";
    let web = Web::of("/page", Page::new(line.repeat((400 << 20) / line.len())));
    let tree = Tree::new();
    for name in ["wordcount", "checksum"] {
        let args = ["--threads", "2", "--report", "report.json"];
        remote(name, &args, &[web.url("/page")]).within(tree.path()).ended().exits(0);
        let peak = report(&tree)["peak_rss_bytes"].as_u64().unwrap();
        assert!(peak < 128 << 20, "{name}: {peak} bytes");
    }
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let plain = text(6_000_000);
    let asked = assert_counts(Page::new(plain.clone()).fault(Fault::Unavailable(2)), &plain);
    assert!(asked.len() >= 4, "{asked:?}");
}

#[test]
fn an_answer_that_breaks_off_is_gone_on_with() {
    let plain = text(6_000_000);
    let good = Page::new(plain.clone());
    for page in
        [good.clone(), Page { tag: None, ..good.clone() }, Page { tag: None, date: None, ..good }]
    {
        assert_counts(page.fault(Fault::BreaksOff(3)), &plain);
    }
}

#[test]
fn an_answer_that_always_breaks_off_is_a_failure() {
    let plain = text(3_000_000);
    let page = Page::new(plain).fault(Fault::BreaksOff(usize::MAX));
    let web = Web::of("/page", Page { ranges: false, ..page });
    let (kind, message, _) = failed(&web);
    assert_eq!(kind, "read");
    assert!(message.starts_with("cannot read at byte "), "{message}");
}

#[test]
fn servers_may_leave_out_what_is_not_needed() {
    let plain = text(5_000_000);
    let good = Page::new(plain.clone());
    for page in [
        Page { ranges: false, ..good.clone() },
        Page { ranges: false, length: false, ..good.clone() },
        Page { ranges: false, length: false, tag: None, date: None, ..good.clone() },
        Page { length: false, ..good.clone() },
        Page { tag: Some("W/\"weak\""), ..good.clone() },
        Page { tag: None, ..good.clone() },
        Page { tag: None, date: None, ..good.clone() },
    ] {
        assert_counts(page.clone(), &plain);
        assert_counts(Page { bytes: gzip(&plain).into(), ..page.clone() }, &plain);
        assert_counts(Page { bytes: Vec::new().into(), ..page }, b"");
    }
}

#[test]
fn a_page_that_changes_is_reported() {
    let good = Page::new(text(9_000_000));
    let other = text(8_000_000);
    let cases = [
        // By its tag, which the server looks at, or does not.
        (good.clone(), Page { tag: Some("\"two\""), ..good.clone() }),
        (
            Page { conditions: false, ..good.clone() },
            Page { conditions: false, tag: Some("\"two\""), ..good.clone() },
        ),
        // By its date.
        (
            Page { tag: None, ..good.clone() },
            Page { tag: None, date: Some("Sun, 11 Jan 2004 13:37:04 GMT"), ..good.clone() },
        ),
        (
            Page { tag: Some("W/\"one\""), ..good.clone() },
            Page { tag: Some("W/\"two\""), ..good.clone() },
        ),
        // By its size, where there is nothing else.
        (
            Page { tag: None, date: None, ..good.clone() },
            Page { tag: None, date: None, bytes: other.into(), ..good },
        ),
    ];
    for (before, after) in cases {
        let case = format!("{:?} {:?} {:?}", after.tag, after.date, after.conditions);
        let web = Web::of("/page", before.fault(Fault::Becomes(1, Box::new(after))));
        let (kind, message, shown) = failed(&web);
        assert_eq!(kind, "changed", "{case}: {message}");
        assert!(message.starts_with("changed while it was read: "), "{case}: {message}");
        assert!(shown.contains("hint: run again when nobody writes to it"), "{case}: {shown}");
    }
}

#[test]
fn what_a_server_refuses_is_reported_without_secrets() {
    let page = |status, body| Page::new("").fault(Fault::Status(status, body));
    let body = "<Error><Code>AccessDenied</Code><StringToSign>abc123</StringToSign></Error>";
    let cases = [
        ("403 Forbidden", body, "permission-denied", "403 Forbidden (AccessDenied)"),
        ("401 Unauthorized", "abc123", "permission-denied", "401 Unauthorized"),
        ("404 Not Found", "abc123", "not-found", "404 Not Found"),
        ("500 Internal Server Error", "abc123", "read", "500 Internal Server Error"),
        ("400 Bad Request", "abc123", "read", "400 Bad Request"),
    ];
    for (status, body, kind, said) in cases {
        let web = Web::of("/page", page(status, body));
        let url = web.url("/page?X-Signature=abc123");
        let ended = remote("wordcount", &[], std::slice::from_ref(&url)).ended().exits(1);
        let error = &ended.lines()[0]["error"];
        let host = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        assert_eq!(error["kind"], kind, "{ended}");
        assert_eq!(error["message"], format!("cannot open: {host} answered {said}"), "{ended}");
        assert!(!ended.stderr.contains("abc123"), "{ended}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let url = "http://127.0.0.1:9/page?X-Signature=abc123".to_string();
    let ended = remote("wordcount", &[], std::slice::from_ref(&url)).ended().exits(1);
    let expected = "http://127.0.0.1:9/page?X-Signature=***: cannot open: \
                    no whole answer from 127.0.0.1:9: Connection refused";
    assert!(ended.stderr.starts_with(expected), "{ended}");
    let url = "https://no-such-host.invalid/page".to_string();
    let ended = remote("wordcount", &[], &[url]).ended().exits(1);
    assert!(
        ended.stderr.contains(": cannot open: no whole answer from no-such-host.invalid: "),
        "{ended}"
    );
}

#[test]
fn names_of_lists_may_be_remote_and_files_may_look_so() {
    let web = Web::of("/page", Page::new("one two\n"));
    let tree = Tree::with(&[("s3:/x", "a\n"), ("s3:y", "a b c\n")]);
    let list = format!("{}\n./s3:/x\ns3:y\n", web.url("/page"));
    for args in [&[][..], &["--quiet"]] {
        let host = remote("wordcount", args, &[]).within(tree.path());
        let ended = host.args(["--files-from", "-"]).stdin(list.clone()).ended().exits(0);
        let words: Vec<_> =
            ended.lines().iter().filter_map(|line| line["result"]["words"].as_u64()).collect();
        assert_eq!(words, [2, 1, 3], "{ended}");
    }
}

/// A run ends within a second of an interrupt, wherever the server hangs.
fn assert_interrupted(page: Page) {
    assert_interrupted_with(page, 1, "2");
}

/// The same, once so many requests hang at once.
fn assert_interrupted_with(page: Page, hanging: usize, threads: &str) {
    let web = Web::of("/page", page);
    let child = remote("wordcount", &["--threads", threads], &[web.url("/page")]).start();
    web.wait_until_hanging(hanging);
    let begun = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut child = child;
    let status = child.wait().unwrap();
    let took = begun.elapsed();
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!(status.code(), Some(130), "{message}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(message, "interrupted: 0 of 1 source is done\n");
}

#[test]
fn an_interrupted_run_waits_for_no_server() {
    let page = |after, answers| Page::new(text(9_000_000)).fault(Fault::Hangs { after, answers });
    assert_interrupted(page(0, false));
    assert_interrupted(page(0, true));
    assert_interrupted(page(1, true));
    assert_interrupted(Page { ranges: false, ..page(0, true) });
}

#[test]
fn parts_are_asked_for_ahead() {
    // The first part comes; one worker waits for the second, while the server has two more to
    // answer.
    let page = Page::new(text(20_000_000)).fault(Fault::Hangs { after: 1, answers: false });
    assert_interrupted_with(page, 3, "1");
}
