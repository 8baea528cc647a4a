//! The plugin: its settings, the columns of a source, and its rows.

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};

use gristmill_sdk::{
    Chunk, Error, Framing, Manifest, Settings, Source, Transformer, manifest, records, reject,
};

use crate::record::{Flatten, Style, clash, read};

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct Jsonl2Csv {
    style: Style,
    flatten: Flatten,
    header: bool,
    extra: Extra,
    fields: Vec<String>,
}

/// What becomes of fields that have no column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extra {
    Reject,
    Drop,
}

/// The columns of a source.
#[derive(Clone, Debug)]
pub struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
    /// A name that two fields of the first line have.
    clash: Option<String>,
}

impl Transformer for Jsonl2Csv {
    type State = Columns;

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .reads_text()
            .header_records(1)
            .output_type("text/csv")
            .setting("fields", "", "The columns, with commas between them; those of the first line if none.")
            .setting("flatten", "on", "on: objects in objects are columns of their own, as in user.name. off: they are JSON.")
            .setting("extra", "reject", "A line with fields that have no column: reject it, or drop the fields.")
            .setting("delimiter", ",", "What separates fields: one ASCII character, or \\t for a tab.")
            .setting("null", "", "What null is written as.")
            .setting("header", "on", "off: the names are not written.")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let text = |key: &str| settings.parse::<String>(key);
        let fields: Vec<String> = match text("fields")?.as_str() {
            "" => Vec::new(),
            names => names
                .split(',')
                .map(|name| name.trim().trim_start_matches('.').to_owned())
                .collect(),
        };
        if fields.iter().any(String::is_empty) {
            return Err(Error::fatal("setting `fields` cannot hold a name that is empty"));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = fields.iter().find(|name| !seen.insert(*name)) {
            return Err(Error::fatal(format_args!("setting `fields` cannot hold `{twice}` twice")));
        }
        let null = text("null")?;
        if null.contains(['"', '\n', '\r']) {
            return Err(Error::fatal("setting `null` cannot hold quotes or line ends"));
        }
        let extra = [("reject", Extra::Reject), ("drop", Extra::Drop)];
        let extra = settings.choice("extra", &extra)?;
        let flatten = settings.choice("flatten", &[("on", Flatten::On), ("off", Flatten::Off)])?;
        Ok(Self {
            style: Style { delimiter: delimiter(&text("delimiter")?)?, null },
            flatten,
            header: settings.choice("header", &[("on", true), ("off", false)])?,
            extra: if fields.is_empty() { extra } else { Extra::Drop },
            fields,
        })
    }

    fn open(&self, source: Source) -> Columns {
        let mut columns = Columns { names: Vec::new(), places: HashMap::new(), clash: None };
        if !self.fields.is_empty() {
            self.fields.iter().for_each(|name| columns.add(name.clone()));
            return columns;
        }
        // What is no object fails where the first chunk is read, as it has no columns.
        let line = source.header.trim_ascii();
        for (name, _) in read(line, self.flatten).unwrap_or_default() {
            columns.add(name);
        }
        columns.clash = clash(line, self.flatten).unwrap_or_default();
        columns
    }

    fn push(&self, columns: &mut Columns, chunk: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut output = Vec::with_capacity(data.len());
        if columns.names.is_empty() && !data.is_empty() {
            let why = "the first line is no JSON object with fields: give `fields`";
            return Err(Error::invalid(0, why));
        }
        if let (Some(name), false) = (&columns.clash, data.is_empty()) {
            return Err(Error::invalid(
                0,
                format_args!(
                    "two fields of the first line make the column `{name}`: give `fields`, or `flatten=off`"
                ),
            ));
        }
        if chunk.index == 0 && self.header && !columns.names.is_empty() {
            let names = columns.names.iter();
            self.push_row(names, &mut output, |name, output| {
                self.style.push_text(name, output);
                Ok(())
            })
            .map_err(|error: std::convert::Infallible| Error::fatal(error))?;
        }
        for line in records::lines(&data).filter(|line| !line.trim_ascii().is_empty()) {
            if let Err(why) = self.push_line(columns, line, &mut output) {
                reject(records::offset(&data, line), &why, line);
            }
        }
        Ok(output)
    }
}

impl Columns {
    /// Adds a column, unless there is one of this name.
    fn add(&mut self, name: String) {
        if let Entry::Vacant(place) = self.places.entry(name) {
            self.names.push(place.key().clone());
            place.insert(self.names.len() - 1);
        }
    }
}

impl Jsonl2Csv {
    fn push_line(
        &self,
        columns: &Columns,
        line: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), String> {
        // Each value in its column.
        let mut row = vec![None; columns.names.len()];
        let mut is_twice = false;
        for (name, value) in read(line, self.flatten)? {
            match columns.places.get(&name).and_then(|&at| row.get_mut(at)) {
                Some(place) => is_twice |= place.replace(value).is_some(),
                None if self.extra == Extra::Drop => {}
                None => return Err(format!("has the field `{name}`, which has no column")),
            }
        }
        if is_twice && let Some(name) = clash(line, self.flatten)? {
            return Err(format!("has two fields that make the column `{name}`"));
        }
        self.push_row(row.into_iter(), output, |value, output| {
            value.map_or(Ok(()), |value| self.style.push(value, output))
        })
        .map_err(|error| format!("is not JSON: {error}"))
    }

    /// Appends a row, or nothing where a field fails.
    fn push_row<T, E>(
        &self,
        fields: impl Iterator<Item = T>,
        output: &mut Vec<u8>,
        mut push: impl FnMut(T, &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = output.len();
        for (at, field) in fields.enumerate() {
            if at > 0 {
                output.push(self.style.delimiter);
            }
            push(field, output).inspect_err(|_| output.truncate(start))?;
        }
        if output.len() == start {
            // One column, and nothing in it: an empty line would be no record.
            output.extend_from_slice(b"\"\"");
        }
        output.push(b'\n');
        Ok(())
    }
}

fn delimiter(text: &str) -> Result<u8, Error> {
    match text.as_bytes() {
        br"\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(Error::fatal(format_args!(
            "setting `delimiter` cannot be `{text}`: it is one ASCII character, or \\t, and neither quote nor line break"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use csv2jsonl::Csv2Jsonl;
    use gristmill_sdk::testing;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn csv(given: &[(&str, &str)], text: &str) -> String {
        let output = testing::transform_every_cut::<Jsonl2Csv>(given, text.as_bytes());
        String::from_utf8(output.unwrap()).unwrap()
    }

    #[test]
    fn columns_are_those_of_the_first_line() {
        let text = "{\"id\":1.10,\"user\":{\"name\":\"Ann \\\"A\\\"\",\"x\":{}}}\n\n{\"user\":{\"name\":\" b\"},\"id\":null}\n{\"id\":[1,\"a\"]}\n{\"new\":1}\nbad\n5";
        assert_eq!(
            csv(&[], text),
            "id,user.name,user.x\n1.10,\"Ann \"\"A\"\"\",{}\n,\" b\",\n\"[1,\"\"a\"\"]\",,\n"
        );
        let rejects = testing::recorded().rejects;
        let reasons: Vec<_> = rejects.iter().map(|it| &*it.reason).collect();
        assert_eq!(reasons[0], "has the field `new`, which has no column");
        assert_eq!((reasons.len(), reasons[2]), (3, "is no JSON object"));
        let chosen =
            [("fields", ".user.name, id"), ("header", "off"), ("null", "NULL"), ("delimiter", ";")];
        assert_eq!(
            csv(&chosen, text),
            "\"Ann \"\"A\"\"\";1.10\n\" b\";NULL\n;[1,\"\"a\"\"]\n;\n"
                .replace("[1,\"\"a\"\"]", "\"[1,\"\"a\"\"]\"")
        );
        testing::recorded();
        assert_eq!(
            csv(&[("flatten", "off")], "{\"a\":{\"b\":\"\"}}\n{\"a\":\"\"}"),
            "a\n\"{\"\"b\"\":\"\"\"\"}\"\n\"\"\n"
        );
        assert_eq!(csv(&[], ""), "");
        let error = testing::configured::<Jsonl2Csv>(&[("fields", "a,b, .a")]).unwrap_err();
        assert_eq!(error.to_string(), "setting `fields` cannot hold `a` twice");
        let error = testing::transform::<Jsonl2Csv>(&[], &[b"5\n"]).unwrap_err().to_string();
        assert!(error.ends_with("give `fields`"), "{error}");
    }

    #[test]
    fn names_that_are_made_twice_lose_nothing() {
        let clash = "{\"a\":{\"b\":1},\"a.b\":2}\n";
        let good = "{\"a\":{\"b\":0}}\n";
        assert_eq!(csv(&[], &[good, clash, good].concat()), "a.b\n0\n0\n");
        let rejects = testing::recorded().rejects;
        assert_eq!(rejects.len(), 1);
        assert_eq!(rejects[0].reason, "has two fields that make the column `a.b`");
        let first = [clash, good].concat();
        let error = testing::transform::<Jsonl2Csv>(&[], &[first.as_bytes()]).unwrap_err();
        let expected =
            "two fields of the first line make the column `a.b`: give `fields`, or `flatten=off`";
        assert!(error.to_string().ends_with(expected), "{error}");
        assert_eq!(csv(&[("flatten", "off")], clash), "a,a.b\n\"{\"\"b\"\":1}\",2\n");
        assert_eq!(csv(&[("fields", "a.b")], &first), "a.b\n0\n");
        assert_eq!(testing::recorded().rejects.len(), 1);
        // One object has a name twice: the last one counts, as for Python's json.
        assert_eq!(csv(&[], "{\"a\":1,\"b\":2,\"a\":3}\n{\"b\":4,\"b\":5}"), "a,b\n3,2\n,5\n");
        assert_eq!(csv(&[], "{\"a\":{\"b\":1},\"a\":{\"b\":{ }}}"), "a.b\n{ }\n");
        assert!(testing::recorded().rejects.is_empty());
    }

    proptest! {
        #[test]
        fn csv2jsonl_is_the_way_back(
            rows in prop::collection::vec(("[a,;\"\n\r \u{e9}\\\\]{0,6}", "[a,\"\n]{0,3}"), 1..5),
            delimiter in prop::sample::select(&[",", ";", "\\t"][..]),
        ) {
            let lines: String = rows.iter().map(|(a, b)| json!({"a": a, "b c": b}).to_string() + "\n").collect();
            let given = [("delimiter", delimiter)];
            let csv = testing::transform::<Jsonl2Csv>(&given, &[lines.as_bytes()]).unwrap();
            let back = testing::transform::<Csv2Jsonl>(&given, &[&csv]).unwrap();
            prop_assert_eq!(testing::recorded().rejects, []);
            prop_assert_eq!(String::from_utf8(back).unwrap(), lines);
        }
    }
}
