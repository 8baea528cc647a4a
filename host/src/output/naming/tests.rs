//! Names of all kinds of sources, what cannot be named, and what comes to one place.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Component;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn origin(path: &str) -> Origin<'_> {
    Origin { path: Path::new(path), walked: None, member: None, stored: Stored::Plain }
}

fn naming(template: &str, output_type: &str, pack: Pack) -> Naming {
    Naming::new(template.parse().unwrap(), "trim", output_type, pack)
}

fn plain() -> Naming {
    Naming::new(Template::default(), "trim", "text/plain", Pack::None)
}

fn placed(naming: &Naming, origin: &Origin<'_>) -> String {
    naming.place(origin).unwrap().to_str().unwrap().into()
}

#[test]
fn a_file_is_where_its_name_says() {
    for (path, place) in [
        ("a.log", "a.log"),
        ("./logs//2024/./a.log", "logs/2024/a.log"),
        ("/var/log/a.log", "var/log/a.log"),
        ("../a.log", "a.log"),
        ("x/../a.log", "a.log"),
        ("x/../../y/a.log", "y/a.log"),
        ("-", "stdin"),
        ("./-", "-"),
        ("a..b/c..", "a..b/c.."),
        ("...", "..."),
        (".hidden", ".hidden"),
    ] {
        assert_eq!(placed(&plain(), &origin(path)), place, "{path}");
    }
}

#[test]
fn a_directory_is_mirrored_with_its_name_unless_a_slash_ends_it() {
    for (walked, path, place) in [
        ("logs", "logs/x/a.log", "logs/x/a.log"),
        ("logs/", "logs/x/a.log", "x/a.log"),
        ("logs//", "logs//x/a.log", "x/a.log"),
        ("logs/.", "logs/./x/a.log", "x/a.log"),
        ("/var/logs", "/var/logs/a.log", "var/logs/a.log"),
        ("/var/logs/", "/var/logs/a.log", "a.log"),
        (".", "./x/a.log", "x/a.log"),
        ("..", "../x/a.log", "x/a.log"),
        ("../", "../x/a.log", "x/a.log"),
        ("../logs", "../logs/a.log", "logs/a.log"),
        ("/", "/etc/a", "etc/a"),
    ] {
        let origin = Origin { walked: Some(Path::new(walked)), ..origin(path) };
        assert_eq!(placed(&plain(), &origin), place, "{walked}: {path}");
    }
}

#[test]
fn a_url_has_its_host_or_bucket_first() {
    for (url, place) in [
        ("s3://bucket/a/b.csv", "bucket/a/b.csv"),
        ("s3://bucket/what?/a#b", "bucket/what?/a#b"),
        ("s3://bucket/a//../../b", "bucket/b"),
        ("https://example.org:8080/a/b.csv?key=secret/x#top", "example.org:8080/a/b.csv"),
        ("https://user:secret@example.org/a", "example.org/a"),
        ("https://example.org", "example.org/index"),
        ("https://example.org/a/?q", "example.org/a/index"),
        ("HTTP://example.org/a?q", "example.org/a"),
        ("file:///srv/a", "srv/a"),
        ("a/b://c", "a/b:/c"),
    ] {
        assert_eq!(placed(&plain(), &origin(url)), place, "{url}");
    }
}

#[test]
fn a_member_has_its_archive_as_a_directory_and_cannot_leave_it() {
    for (member, place) in [
        ("x/y.txt", "in/a.tar.gz/x/y.txt"),
        ("./y.txt", "in/a.tar.gz/y.txt"),
        ("/etc/passwd", "in/a.tar.gz/etc/passwd"),
        ("../../etc/passwd", "in/a.tar.gz/etc/passwd"),
    ] {
        let origin = Origin { member: Some(member.as_bytes()), ..origin("in/a.tar.gz") };
        assert_eq!(placed(&plain(), &origin), place, "{member}");
    }
}

#[test]
fn the_extension_of_the_codec_goes_and_that_of_the_output_comes() {
    let compressed = |path| Origin { stored: Stored::Compressed, ..origin(path) };
    let lines = naming(Template::DEFAULT, "application/x-ndjson; charset=utf-8", Pack::None);
    let zipped = naming(Template::DEFAULT, "application/x-ndjson", Pack::Bgzf(6));
    let bytes = naming(Template::DEFAULT, "application/octet-stream", Pack::Zstd(3));
    for (naming, origin, place) in [
        (&plain(), compressed("a.log.gz"), "a.log"),
        (&plain(), compressed("a.tgz"), "a.tar"),
        (&plain(), compressed(".gz"), ".gz"),
        (&plain(), compressed("gz"), "gz"),
        (&plain(), origin("a.log.gz"), "a.log.gz"),
        (&lines, origin("a.log"), "a.log.jsonl"),
        (&lines, origin("a.JSONL"), "a.JSONL"),
        (&lines, origin("a"), "a.jsonl"),
        (&zipped, compressed("a.jsonl.gz"), "a.jsonl.gz"),
        (&zipped, compressed("a.log.bz2"), "a.log.jsonl.gz"),
        (&bytes, compressed("a.log.gz"), "a.log.zst"),
        (&bytes, compressed("a.log.zst"), "a.log.zst"),
    ] {
        assert_eq!(placed(naming, &origin), place);
    }
}

#[test]
fn media_types_and_their_extensions() {
    for (media_type, extension) in [
        ("text/csv; header=present", ".csv"),
        ("text/tab-separated-values", ".tsv"),
        ("Application/JSON", ".json"),
        ("application/geo+json", ".json"),
        ("application/jsonl", ".jsonl"),
        ("text/plain", ""),
        ("application/octet-stream", ""),
        ("image/png", ""),
        ("", ""),
    ] {
        assert_eq!(extension_of(media_type), extension, "{media_type}");
    }
}

#[test]
fn a_template_makes_the_name() {
    let source = Origin { stored: Stored::Compressed, ..origin("in/b.c/a.x.log.gz") };
    for (template, place) in [
        ("{dir}/{name}", "in/b.c/a.x.log"),
        ("{dir}/{stored}{out_ext}", "in/b.c/a.x.log.gz.csv.lz4"),
        ("{dir}/{stem}{out_ext}", "in/b.c/a.x.csv.lz4"),
        ("{plugin}/{dir}/{stem}.out{ext}", "trim/in/b.c/a.x.out.log"),
        ("{dir}-{name}.csv{out_ext}", "in/b.c-a.x.log.csv.lz4"),
        ("{{{stem}}}", "{a.x}"),
        ("/all/./{name}", "all/a.x.log"),
        ("one.txt", "one.txt"),
    ] {
        let naming = naming(template, "text/csv", Pack::Lz4);
        assert_eq!(placed(&naming, &source), place, "{template}");
        assert_eq!(template.parse::<Template>().unwrap().to_string(), template);
    }
    assert_eq!(Template::DEFAULT.parse::<Template>().unwrap(), Template::default());
    assert_eq!(placed(&naming("{dir}/{name}", "", Pack::None), &origin("a")), "a");
    let tricky = Naming::new("{plugin}".parse().unwrap(), "../../x", "", Pack::None);
    assert_eq!(placed(&tricky, &origin("a")), ".._.._x");
}

#[test]
fn a_template_that_makes_no_names_is_refused() {
    let refused = |template: &str| template.parse::<Template>().unwrap_err();
    assert_eq!(refused("{dri}/x"), TemplateError::Unknown("dri".into()));
    assert_eq!(refused("{dir/{name}"), TemplateError::Brace { at: 1 });
    assert_eq!(refused("x/{name"), TemplateError::Brace { at: 3 });
    assert_eq!(refused("name}"), TemplateError::Brace { at: 5 });
    assert_eq!(refused(""), TemplateError::NoFile);
    assert_eq!(refused("{name}/"), TemplateError::NoFile);
    assert_eq!(refused("{dir}/../{name}"), TemplateError::Up);
    assert_eq!(
        refused("{}").to_string(),
        "unknown field `{}`, expected one of: dir, name, stored, stem, ext, plugin, out_ext"
    );
}

#[test]
fn an_impossible_file_name_is_reported() {
    let refused = |path: &str| plain().place(&origin(path)).unwrap_err();
    for path in ["", "/", "..", "a/..", "./."] {
        assert_eq!(refused(path), NameError::Nothing, "{path}");
    }
    assert_eq!(refused("a\0b"), NameError::Nul);
    let long = "x".repeat(256);
    assert_eq!(
        refused(&format!("a/{long}/b")),
        NameError::PartTooLong { part: long, bytes: 256, bytes_max: 255 }
    );
    assert_eq!(
        refused(&format!("{}x", "abcdefg/".repeat(512))),
        NameError::TooLong { bytes: 4097, bytes_max: 4095 }
    );
    assert!(
        plain().place(&origin(&"abcdefg/".repeat(512))).is_ok(),
        "4,095 bytes without the last slash"
    );
    let temporary = ".a.gristmill-0123456789abcdef.part";
    assert_eq!(refused(temporary), NameError::Temporary(temporary.into()));
    let stem = naming("x/{stem}", "", Pack::None);
    assert_eq!(stem.place(&origin("...a")), Err(NameError::Up("x/..".into())));
}

#[test]
fn bytes_that_are_no_text_stay_what_they_are() {
    let path = Path::new(OsStr::from_bytes(b"\xff/\xfe.log"));
    let origin = Origin { path, ..origin("") };
    assert_eq!(plain().place(&origin).unwrap(), path);
}

/// The places of all these sources, or the first two that collide.
fn all<'a, P: AsRef<Path>>(
    sources: impl IntoIterator<Item = (&'a str, P)>,
) -> Result<Distinct, Collision> {
    let (mut distinct, mut names) = (Distinct::default(), Vec::new());
    for (index, (name, place)) in (0..).zip(sources) {
        names.push(name);
        let claimed = distinct.claim(index, place.as_ref());
        claimed.map_err(|clash| {
            let other = names[clash.other as usize].to_string();
            clash.with(other)
        })?;
    }
    Ok(distinct)
}

#[test]
fn two_sources_with_one_place_are_reported() {
    let message = |sources: &[(&'static str, &str)]| {
        all(sources.iter().copied()).map(|_| ()).unwrap_err().to_string()
    };
    assert!(all([("a", "a"), ("b", "b"), ("x/a", "x/a"), ("x/b", "x/b")]).is_ok());
    assert_eq!(
        message(&[("a.gz", "a"), ("b", "b"), ("../a", "a")]),
        "its output is that of a.gz, too: a"
    );
    let inside = "its output would be inside that of a.gz: a";
    assert_eq!(message(&[("a.gz", "a"), ("a/b/c", "a/b/c")]), inside);
    let around = "its output would have that of a/b/c inside: a";
    assert_eq!(message(&[("a/b/c", "a/b/c"), ("a.gz", "a")]), around);
    assert_eq!(
        message(&[("a/b/c", "a/b/c"), ("a/d", "a/d"), ("a/b.gz", "a/b")]),
        "its output would have that of a/b/c inside: a/b"
    );
}

#[test]
fn a_place_that_is_refused_takes_nothing() {
    let mut distinct = all([("a", "x/a")]).unwrap();
    assert!(distinct.claim(1, Path::new("x/a/y/z")).is_err());
    assert!(distinct.claim(1, Path::new("x/b")).is_ok());
    assert!(distinct.claim(2, Path::new("x/a/y/z")).is_err());
    assert!(distinct.claim(2, Path::new("y/z")).is_ok());
}

#[test]
fn a_hundred_thousand_sources_are_distinguished_at_once() {
    let names: Vec<String> =
        (0..100_000).map(|n| format!("logs/2024/{}/{}/{n}.log", n % 12, n % 31)).collect();
    let (naming, started) = (plain(), Instant::now());
    let placed = names.iter().map(|name| (name.as_str(), naming.place(&origin(name)).unwrap()));
    assert!(all(placed).is_ok());
    let took = started.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

proptest! {
    #[test]
    fn nothing_leaves_the_root(
        path in "[-a.:/ \u{e4}]{0,24}|(s3|https)://[a./@?]{0,12}",
        walked in prop::option::of("[a./]{0,4}"),
        member in prop::option::of("[b./]{0,12}"),
        template in prop::sample::select(&[
            Template::DEFAULT,
            "{stem}",
            "{ext}{stem}",
            ".{stem}/{name}",
            "{dir}{dir}/{ext}",
            "{plugin}/{dir}.{stem}{out_ext}",
        ][..]),
        plugin in "[a./]{0,4}",
        compressed in any::<bool>(),
    ) {
        let naming = Naming::new(template.parse().unwrap(), &plugin, "text/csv", Pack::Lz4);
        let path = match &walked {
            Some(walked) => format!("{walked}/{path}"),
            None => path,
        };
        let origin = Origin {
            path: Path::new(&path),
            walked: walked.as_ref().map(Path::new),
            member: member.as_ref().map(String::as_bytes),
            stored: if compressed { Stored::Compressed } else { Stored::Plain },
        };
        if let Ok(place) = naming.place(&origin) {
            let bytes = place.as_os_str().as_bytes();
            prop_assert!(!bytes.is_empty() && !bytes.ends_with(b"/"), "{:?}", place);
            prop_assert!(!bytes.windows(2).any(|two| two == b"//"), "{:?}", place);
            let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
            prop_assert!(place.components().all(normal), "{:?}", place);
            prop_assert!(!bytes.split(|&byte| byte == b'/').any(|part| part == b"."), "{:?}", place);
            prop_assert_eq!(naming.place(&origin).unwrap(), place);
        }
    }
}
