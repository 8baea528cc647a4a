//! The plugin: its settings, and the header that a chunk's records are read by.

use std::cell::Cell;

use gristmill_sdk::{Chunk, Error, Framing, Manifest, Settings, Source, Transformer, manifest};

use crate::columns::Columns;
use crate::output::Output;
use crate::rows::{Encoding, Reader};
use crate::scan::Dialect;
use crate::settings::{self, Csv};

/// Output bytes for each byte of input, before anything is known: names are as long as values, say.
const GROWTH: usize = 3;

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct Csv2Jsonl {
    settings: Csv,
    /// Output bytes for each KiB of input, at most, until now: the next output is allocated once.
    growth_per_kib: Cell<usize>,
}

/// The header of a source.
#[derive(Debug)]
pub struct Head {
    dialect: Dialect,
    /// Bytes of it that are no records.
    bytes: usize,
    is_empty: bool,
    columns: Result<Columns, (usize, String)>,
}

impl Transformer for Csv2Jsonl {
    type State = Head;

    fn manifest() -> Manifest {
        settings::declare(manifest!().framing(Framing::Csv).reads_text())
            .header_records(1)
            .output_type("application/x-ndjson")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { settings: Csv::read(settings)?, growth_per_kib: Cell::new(GROWTH << 10) })
    }

    fn open(&self, source: Source) -> Head {
        let header = source.header;
        let names = self.settings.names(&header);
        let (columns, bytes) = match Columns::read(&header, &names) {
            Ok((columns, bytes)) => (Ok(columns), bytes),
            Err(why) => (Err(why), 0),
        };
        Head { dialect: names.dialect, bytes, is_empty: header.is_empty(), columns }
    }

    fn push(&self, head: &mut Head, chunk: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let begins = (head.bytes as u64).saturating_sub(chunk.offset);
        let begins = usize::try_from(begins).map_or(data.len(), |begins| begins.min(data.len()));
        let columns = match &head.columns {
            Ok(columns) => columns,
            // An empty source has no header, and nothing that needs one.
            Err(_) if head.is_empty && data.is_empty() => return Ok(data),
            Err((at, why)) => return Err(Error::invalid(*at as u64, why)),
        };
        let records = data.get(begins..).unwrap_or_default();
        let valid = simdutf8::basic::from_utf8(records).is_ok();
        let encoding = if valid { Encoding::Utf8 } else { Encoding::Unknown };
        let mut output = Output::with_room(self.room(records.len()));
        let Csv { stray, types, ref null, .. } = self.settings;
        let null = null.as_deref();
        let dialect = head.dialect;
        Reader { columns, dialect, stray, types, null, encoding, begins }
            .read(records, &mut output);
        self.learn(records.len(), output.len());
        Ok(output.into_bytes())
    }
}

impl Csv2Jsonl {
    /// What the output of so many bytes will take, if it is as before.
    fn room(&self, bytes: usize) -> usize {
        (bytes >> 10).saturating_add(1).saturating_mul(self.growth_per_kib.get())
    }

    fn learn(&self, bytes: usize, output: usize) {
        let kib = bytes >> 10;
        if let Some(growth) = output.checked_div(kib) {
            // A sixteenth more, as chunks differ.
            self.growth_per_kib.set(growth + growth / 16 + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use csv_core::{ReadRecordResult, ReaderBuilder};
    use gristmill_sdk::testing::{self, Rejected};
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    fn lines(given: &[(&str, &str)], text: &str) -> String {
        let output = testing::transform_every_cut::<Csv2Jsonl>(given, text.as_bytes());
        String::from_utf8(output.unwrap()).unwrap()
    }

    fn refused(given: &[(&str, &str)], text: &[u8]) -> String {
        testing::transform::<Csv2Jsonl>(given, &[text]).unwrap_err().to_string()
    }

    #[test]
    fn a_record_is_an_object() {
        let text = "id,name\n1,\"Ann \"\"A\"\" Lee\"\r\n2,\"two\nlines, one field\"\n\n\r\n3,";
        assert_eq!(
            lines(&[], text),
            concat!(
                r#"{"id":"1","name":"Ann \"A\" Lee"}"#,
                "\n",
                r#"{"id":"2","name":"two\nlines, one field"}"#,
                "\n",
                r#"{"id":"3","name":""}"#,
                "\n",
            )
        );
        assert!(testing::recorded().rejects.is_empty());
    }

    #[test]
    fn there_may_be_nothing_to_say() {
        for text in ["", "a,b", "a,b\n", "a,b\r\n\n"] {
            assert_eq!(lines(&[], text), "", "{text:?}");
        }
    }

    #[test]
    fn a_quote_opens_a_field_at_its_start_only() {
        let text = "id,size\n1,5\" pipe\n2,ok\n3,7\" pipe\n\"4\",ok\n";
        let kept = lines(&[("stray", "keep")], text);
        assert_eq!(kept.lines().nth(2), Some(r#"{"id":"3","size":"7\" pipe"}"#));
        assert_eq!(kept.lines().count(), 4);
        assert_eq!(lines(&[], text).lines().count(), 2);
        assert_eq!(testing::recorded().rejects.len(), 2);
        let none = lines(&[("quote", "none")], "a,b\n\"1,2\"\n\"x\",\"\n");
        assert_eq!(
            none,
            "{\"a\":\"\\\"1\",\"b\":\"2\\\"\"}\n{\"a\":\"\\\"x\\\"\",\"b\":\"\\\"\"}\n"
        );
    }

    #[test]
    fn records_end_with_either_line_end_or_both() {
        for end in ["\n", "\r\n", "\r", "\r\r\n"] {
            let text = ["a,b", "1,2", "\"x\ry\",3", ""].join(end);
            assert_eq!(
                lines(&[], &text),
                "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"x\\ry\",\"b\":\"3\"}\n",
                "{end:?}"
            );
            assert_eq!(testing::recorded().rejects, []);
        }
    }

    #[test]
    fn names_come_from_where_the_settings_say() {
        let text = "1,2\n3,4\n";
        assert_eq!(
            lines(&[("header", "none")], text).lines().next(),
            Some(r#"{"column1":"1","column2":"2"}"#)
        );
        assert_eq!(lines(&[("header", "none")], text).lines().count(), 2);
        let named = [("header", "none"), ("names", "a,\"b c\"")];
        assert_eq!(lines(&named, text).lines().next(), Some(r#"{"a":"1","b c":"2"}"#));
        assert_eq!(lines(&[("names", "a,b")], text), "{\"a\":\"3\",\"b\":\"4\"}\n");
        assert!(
            refused(&[("names", "a")], text.as_bytes())
                .ends_with("the first record has 2 fields, and `names` 1")
        );
        assert!(refused(&[("names", "a,a")], b"").contains("is there twice"));
        let twice = lines(&[("duplicates", "rename")], "a,a,a_2,a\n1,2,3,4\n");
        assert_eq!(twice, "{\"a\":\"1\",\"a_3\":\"2\",\"a_2\":\"3\",\"a_4\":\"4\"}\n");
        assert_eq!(
            lines(&[("delimiter", "auto")], "a;\"b,c\"\n1;2\n"),
            "{\"a\":\"1\",\"b,c\":\"2\"}\n"
        );
        assert_eq!(lines(&[("delimiter", "auto")], "a\n1\n"), "{\"a\":\"1\"}\n");
    }

    #[test]
    fn a_text_without_quotes_may_be_null() {
        let text = "a,b,c\nNULL,\"NULL\",\n";
        assert_eq!(lines(&[("null", "NULL")], text), "{\"a\":null,\"b\":\"NULL\",\"c\":\"\"}\n");
        assert_eq!(
            lines(&[("null", "empty")], text),
            "{\"a\":\"NULL\",\"b\":\"NULL\",\"c\":null}\n"
        );
    }

    #[test]
    fn names_are_strings_too() {
        let text = "\u{feff}\"a \"\"b\"\"\",a name that is longer than a block of sixteen bytes,\r\n1,2,3\r\n";
        let expected =
            r#"{"a \"b\"":"1","a name that is longer than a block of sixteen bytes":"2","":"3"}"#;
        assert_eq!(lines(&[], text), format!("{expected}\n"));
    }

    #[test]
    fn bare_values_stay_bare_if_asked_for() {
        let text = "a,b,c,d\n1,-2.5e3,true,false\n\"1\",007,True,null\n,1 ,\"true\",NaN\n";
        assert_eq!(
            lines(&[("types", "on")], text),
            concat!(
                r#"{"a":1,"b":-2.5e3,"c":true,"d":false}"#,
                "\n",
                r#"{"a":"1","b":"007","c":"True","d":"null"}"#,
                "\n",
                r#"{"a":"","b":"1 ","c":"true","d":"NaN"}"#,
                "\n",
            )
        );
    }

    #[test]
    fn the_delimiter_is_a_setting() {
        for (delimiter, text) in
            [("\\t", "a\tb,\n1\t2,3\n"), ("\t", "a\tb,\n1\t2,3\n"), (";", "a;b,\n1;2,3\n")]
        {
            assert_eq!(lines(&[("delimiter", delimiter)], text), "{\"a\":\"1\",\"b,\":\"2,3\"}\n");
        }
        for delimiter in ["", "ab", "\"", "\n", "\u{e9}"] {
            let error = refused(&[("delimiter", delimiter)], b"");
            assert!(
                error.starts_with(&format!("setting `delimiter` cannot be `{delimiter}`: ")),
                "{error}"
            );
        }
        assert_eq!(
            refused(&[("types", "yes")], b""),
            "setting `types` cannot be `yes`: it is off or on"
        );
    }

    #[test]
    fn a_header_may_stand_behind_other_records() {
        let text = "Report\r\n\n\"of\n2024\",x,y\r\na;b\r\n1;2\n3;4";
        let expected = "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n";
        for delimiter in [";", "auto"] {
            assert_eq!(lines(&[("header", "skip:3"), ("delimiter", delimiter)], text), expected);
        }
        assert_eq!(lines(&[("header", "skip:0")], "a\n1\n"), lines(&[], "a\n1\n"));
        assert_eq!(lines(&[("header", "skip:2")], "x\ry\ra\r1\r"), "{\"a\":\"1\"}\n");
        assert_eq!(lines(&[("header", "skip:2")], ""), "");
        let few = "byte 0 of the chunk: there is no header behind 2 records, as header=skip:2 says";
        for text in ["a\n", "a\nb", "a\nb\n", "\"a\nb\nc\n"] {
            assert_eq!(refused(&[("header", "skip:2")], text.as_bytes()), few, "{text}");
        }
        let twice = "byte 2 of the chunk: the header has the name \"a\" twice: duplicates=rename gives it a number";
        assert_eq!(refused(&[("header", "skip:1")], b"x\na,a\n"), twice);
        for header in ["skip", "skip:", "skip:x", "skip:-1", "skip:1000", "second"] {
            assert_eq!(
                refused(&[("header", header)], b""),
                format!(
                    "setting `header` cannot be `{header}`: it is first, none, or skip:N with N up to 999"
                )
            );
        }
    }

    #[test]
    fn bad_records_are_set_aside() {
        let text = "a,b\n1\n1,2,3\r\nx\"y\"z,1\n\"x\"y,1\nok,\"1\n2\"\n\"x\",\"open\n1,2\n";
        assert_eq!(lines(&[], text), "{\"a\":\"ok\",\"b\":\"1\\n2\"}\n");
        let rejects = testing::recorded().rejects;
        let found: Vec<_> = rejects
            .iter()
            .map(|r| (r.offset, &*r.reason, str::from_utf8(&r.data).unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                (4, "has 1 field, and the header 2 names", "1"),
                (6, "has 3 fields, and the header 2 names", "1,2,3"),
                (
                    13,
                    "has a quote inside a field (stray=keep reads such lines), at byte 1",
                    "x\"y\"z,1"
                ),
                (
                    21,
                    "has text behind a quoted field (stray=keep reads such lines), at byte 3",
                    "\"x\"y,1"
                ),
                (37, "its quotes do not end (takes 3 lines)", "\"x\",\"open\n1,2\n"),
            ]
        );
    }

    #[test]
    fn records_that_are_not_utf_8_are_set_aside() {
        let text = b"a,b\n1,\xff\n\xc3\xa9,2\n";
        let output = testing::transform_every_cut::<Csv2Jsonl>(&[], text).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), "{\"a\":\"\u{e9}\",\"b\":\"2\"}\n");
        let reason = "is not UTF-8 at byte 2".to_owned();
        let rejected = Rejected { offset: 4, reason, data: b"1,\xff".to_vec() };
        assert_eq!(testing::recorded().rejects, [rejected]);
    }

    #[test]
    fn a_bad_header_fails_the_source() {
        let cases: [(&[u8], &str); 7] = [
            (b"\n1\n", "byte 0 of the chunk: the header is empty"),
            (
                b"a,b,a\n1,2,3\n",
                "byte 0 of the chunk: the header has the name \"a\" twice: duplicates=rename gives it a number",
            ),
            (b"a,b\"\"\n1,2\n", "byte 3 of the chunk: a quote inside a name of the header"),
            (b"\"a\"b,c\n", "byte 3 of the chunk: text behind a quoted name of the header"),
            (b"a,\"b\n", "byte 2 of the chunk: the quotes of the header do not end"),
            (b"a,\xff\n", "byte 2 of the chunk: the header is not UTF-8"),
            (b"\xef\xbb\xbf\n", "byte 3 of the chunk: the header is empty"),
        ];
        for (text, expected) in cases {
            assert_eq!(refused(&[], text), expected);
        }
    }

    /// The records as another parser reads them, as objects; none where one is ragged.
    fn by_csv_core(text: &[u8]) -> Option<Vec<Map<String, Value>>> {
        let mut reader = ReaderBuilder::new().build();
        let (mut rest, mut records) = (text, Vec::new());
        let (mut fields, mut ends) = ([0; 4096], [0; 64]);
        loop {
            let (result, read, _, count) = reader.read_record(rest, &mut fields, &mut ends);
            rest = &rest[read..];
            match result {
                ReadRecordResult::Record => {
                    let starts = std::iter::once(0).chain(ends.iter().copied());
                    let fields = starts
                        .zip(&ends[..count])
                        .map(|(from, &to)| String::from_utf8(fields[from..to].to_vec()).unwrap());
                    records.push(fields.collect::<Vec<_>>());
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::End => break,
                other => panic!("{other:?}"),
            }
        }
        let (names, rows) = records.split_first()?;
        let object = |row: &Vec<String>| {
            let pairs = names.iter().cloned().zip(row.iter().cloned().map(Value::String));
            (row.len() == names.len()).then(|| pairs.collect())
        };
        rows.iter().map(object).collect()
    }

    proptest! {
        #[test]
        fn objects_are_those_of_other_parsers(
            rows in prop::collection::vec([field(), field(), field()], 0..12),
            line_break in prop::sample::select(&["\n", "\r\n"][..]),
        ) {
            let mut text = format!("id,\"the name\",x{line_break}");
            for row in &rows {
                text += &(row.join(",") + line_break);
            }
            let output = testing::transform::<Csv2Jsonl>(&[], &[text.as_bytes()]).unwrap();
            prop_assert_eq!(testing::recorded().rejects, []);
            let expected = by_csv_core(text.as_bytes()).unwrap();
            let expected: String =
                expected.into_iter().map(|object| Value::Object(object).to_string() + "\n").collect();
            prop_assert_eq!(String::from_utf8(output).unwrap(), expected);
        }

        #[test]
        fn cuts_change_nothing_whatever_the_text(text in "[a1,\"\n\r\\\\]{0,40}") {
            let text = format!("a,b\n{text}");
            let output = testing::transform_every_cut::<Csv2Jsonl>(&[("types", "on")], text.as_bytes());
            let output = String::from_utf8(output.unwrap()).unwrap();
            for line in output.lines() {
                let object: Map<String, Value> = serde_json::from_str(line).unwrap();
                prop_assert!(object.keys().eq(["a", "b"]));
            }
        }
    }

    /// A field as it stands in CSV.
    fn field() -> impl Strategy<Value = String> {
        let quoted = "[a-z,\"\r\n\t\\\\\u{e9} ]{0,40}";
        prop_oneof![
            "[a-z0-9\t\\\\\u{e9} ]{0,40}",
            quoted.prop_map(|text| format!("\"{}\"", text.replace('"', "\"\""))),
        ]
    }
}
