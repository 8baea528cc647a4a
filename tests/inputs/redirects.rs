//! Servers that send the host elsewhere: it follows as far as it may, and sends no referrer.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::remote::{remote, said};
use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;
use crate::support::web::{Fault, Page, Web};

/// A page that redirects to `to`.
fn sends(to: &str) -> Page {
    let status = format!("302 Found\r\nLocation: {to}").leak();
    Page::new("").fault(Fault::Status(status, ""))
}

#[test]
fn a_redirect_is_followed_without_a_referrer() {
    let other = Web::of("/there", Page::new("one two\n"));
    let first = Web::of("/page", sends(&other.url("/there")));
    let url = first.url("/page?X-Amz-Signature=deadbeef").replace("//", "//user:secret@");
    let ended = remote("wordcount", &[], &[url]).ended().exits(0);
    assert!(said(&ended)[0].contains("\"words\":2"), "{ended}");
    let asked = other.asked();
    assert!(!asked.is_empty());
    for request in asked {
        assert_eq!(request.path, "/there");
        for header in ["referer", "authorization", "cookie"] {
            assert_eq!(request.headers.get(header), None, "{header}");
        }
    }
}

#[test]
fn a_redirect_leads_to_no_other_scheme_and_has_an_end() {
    let tree = Tree::with(&[("secret", "a b c\n")]);
    let file = format!("file://{}", tree.path().join("secret").display());
    let web = Web::new([
        ("/round".to_string(), sends("/round")),
        ("/file".to_string(), sends(&file)),
        ("/store".to_string(), sends("s3://bucket/key")),
        ("/1".to_string(), sends("/2")),
        ("/2".to_string(), sends("/3")),
        ("/3".to_string(), sends("/4")),
        ("/4".to_string(), sends("/5")),
        ("/5".to_string(), sends("/6")),
        ("/6".to_string(), Page::new("six\n")),
        ("/0".to_string(), sends("/1")),
    ]);
    let message = |path: &str| remote("wordcount", &[], &[web.url(path)]).ended().exits(1).stderr;
    assert!(message("/round").contains("it redirects more than 5 times"), "{}", message("/round"));
    assert!(message("/file").contains("it redirects to file, from http"), "{}", message("/file"));
    assert!(message("/store").contains("it redirects to s3, from http"), "{}", message("/store"));
    remote("wordcount", &[], &[web.url("/1")]).ended().exits(0);
    assert!(message("/0").contains("it redirects more than 5 times"), "{}", message("/0"));
}

#[test]
fn a_list_names_urls_only_where_it_may() {
    let web = Web::of("/page", Page::new("one two\n"));
    let tree = Tree::with(&[("in/a", "a\n"), ("list", &*format!("in/a\n{}\n", web.url("/page")))]);
    let run = |args: &[&str]| {
        let host = Host::run(&plugin("wordcount")).env("NO_PROXY", "127.0.0.1");
        host.within(tree.path()).args(["--files-from", "list"]).args(args).ended()
    };
    run(&[]).exits(0);
    let message = run(&["--beneath", "."]).exits(1);
    assert!(message.stderr.contains("is a URL, and the list may name files only"), "{message}");
    assert!(message.stderr.contains("hint: --allow-urls lets it name URLs"), "{message}");
    assert!(message.text().contains("\"lines\":1"), "the file is read: {message}");
    run(&["--beneath", ".", "--allow-urls"]).exits(0);
    run(&["--beneath", ".", "--allow-urls=127.0.0.1"]).exits(0);
    run(&["--beneath", ".", "--allow-urls=example.org,bucket"]).exits(1);
    if gristmill::jail::probe().check().is_ok() {
        let message = run(&["--jail"]).exits(1);
        assert!(!message.stderr.contains("connections stay allowed"), "{message}");
        run(&["--jail", "--allow-urls"]).exits(0);
    }
}

/// What is read of the text of an error has an end, whatever its server says of its length, or goes
/// on to say.
#[test]
fn an_error_without_end_is_shown_by_its_beginning() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            let _ = talk_without_end(client.unwrap()); // it ends where the host has heard enough
        }
    });
    let ended = remote("wordcount", &[], &[url]).ended().exits(1);
    assert!(ended.text().contains("answered 404 Not Found (TooMuch)"), "{ended}");
}

/// Answers with an error that is said to be of a terabyte, and is sent until nobody takes it.
fn talk_without_end(mut client: TcpStream) -> io::Result<()> {
    let mut asked = BufReader::new(client.try_clone()?).lines();
    while asked.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000000000000\r\n\r\n")?;
    client.write_all(b"<Error><Code>TooMuch</Code>")?;
    loop {
        client.write_all(&[b' '; 8192])?;
    }
}

#[test]
fn messages_of_libraries_show_no_credentials() {
    let web = Web::of("/page", Page::new("one two\n"));
    let url = web.url("/page?sig=hush").replace("//", "//user:hush@");
    let ended = remote("wordcount", &["-vv"], &[url]).ended().exits(0);
    assert!(!ended.to_string().contains("hush"), "{ended}");
    let ended = remote("wordcount", &[], &["s3://user:hush@bucket/key".into()]).ended().exits(1);
    assert!(ended.text().contains("is no name of a bucket"), "{ended}");
    assert!(!ended.to_string().contains("hush"), "{ended}");
}

/// The whole address goes to the server only: rows, reports and plugins get a shortened one.
#[test]
fn a_url_is_shown_without_user_password_and_signature() {
    let tree = Tree::new();
    let rows = Page::new("a,b\n1,2,3\n");
    let web = Web::new([
        ("/rows.csv".to_string(), rows),
        ("/gone".to_string(), Page::new("").fault(Fault::Status("404 Not Found", ""))),
    ]);
    let url = |path: &str| {
        let signed = format!("{path}?page=1&X-Amz-Signature=hush&sig=hush");
        web.url(&signed).replace("//", "//user:hush@")
    };
    let args = ["--report", "report.json", "--rejects", "rejects.jsonl", "--out", "out/"];
    let convert = |args: &[&str], urls: &[String]| {
        let host = Host::run(&plugin("csv2jsonl")).env("NO_PROXY", "127.0.0.1");
        host.args(args).args(urls).within(tree.path()).ended()
    };
    let ended = convert(&args, &[url("/rows.csv"), url("/gone")]).exits(1);
    let shown = web.url("/rows.csv?page=1&X-Amz-Signature=***&sig=***");
    let report = String::from_utf8(tree.read("report.json")).unwrap();
    let rejects = String::from_utf8(tree.read("rejects.jsonl")).unwrap();
    assert!(rejects.contains(&shown), "{rejects}");
    let planned = convert(&["--out", "out/", "--dry-run"], &[url("/rows.csv")]).exits(0);
    assert!(planned.to_string().contains(&shown), "{planned}");
    let counted = remote("wordcount", &[], &[url("/rows.csv"), url("/gone")]).ended().exits(1);
    assert!(counted.text().contains(&shown), "{counted}");
    for message in
        [&ended.to_string(), &report, &rejects, &planned.to_string(), &counted.to_string()]
    {
        assert!(!message.contains("hush"), "{message}");
    }
    let asked = web.asked();
    assert!(asked.iter().all(|request| request.path.contains("sig=hush")), "{asked:?}");
}
