//! A spec in JSON: what a program sends.

use super::canonical::value;
use super::document::nearest;
use super::words::Table;
use super::{JobSpec, Problem};

impl JobSpec {
    /// Reads a spec in JSON.
    ///
    /// # Errors
    /// When it is none, or says what no spec can; with the line and column, and with the nearest
    /// key for one that there is not.
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        let read = serde_json::from_str::<Table<Self>>(text);
        read.map(|Table(spec)| spec).map_err(|error| {
            let message = error.to_string();
            let hint = unknown(&message).and_then(|(key, known)| nearest(key, &known));
            Problem::new(&message)
                .hint(hint.map(|near| format!("did you mean `{near}`?")).as_deref())
        })
    }

    /// The spec in JSON, with all that is in it.
    ///
    /// # Errors
    /// When a path in it is not UTF-8, which JSON cannot hold.
    pub fn to_json(&self) -> Result<String, Problem> {
        value(self).map(|value| value.to_string())
    }
}

/// The key that there is not, and those that there are, from what serde tells of it.
fn unknown(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut words = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    Some((words.next()?, words.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::SettingSpec;

    fn refused(text: &str) -> (String, Option<String>) {
        let problem = JobSpec::from_json(text).unwrap_err();
        (problem.to_string(), problem.advice().map(str::to_string))
    }

    #[test]
    fn a_spec_comes_back_as_it_was() {
        let text = r#"{
            "stage": [{ "plugin": "a.wasm", "settings": { "n": 3, "deep": true, "word": "x" } }],
            "inputs": { "files": "logs", "max_record": "1MiB", "linger": "5ms", "archives": false },
            "output": { "compress": "zstd:19", "max_rejects": "5%", "exists": "skip" },
            "sandbox": { "memory": 1048576, "guest_time": "1m 30s", "isolate": "chunk" }
        }"#;
        let spec = JobSpec::from_json(text).unwrap();
        let words: Vec<_> =
            spec.stages().flat_map(|it| &it.settings).map(SettingSpec::word).collect();
        assert_eq!(words, ["deep=true", "n=3", "word=x"]);
        assert_eq!(spec.inputs.max_record, spec.sandbox.memory);
        assert_eq!(JobSpec::from_json(&spec.to_json().unwrap()), Ok(spec));
        assert_eq!(JobSpec::from_json("{}"), Ok(JobSpec::default()));
        assert_eq!(
            JobSpec::from_json(&JobSpec::default().to_json().unwrap()),
            Ok(JobSpec::default())
        );
    }

    #[test]
    fn an_invalid_spec_is_reported_with_its_place() {
        let (message, hint) = refused(r#"{ "inputs": { "max_rekord": 3 } }"#);
        assert!(message.starts_with("unknown field `max_rekord`"), "{message}");
        assert!(message.ends_with("at line 1 column 26"), "{message}");
        assert_eq!(hint.as_deref(), Some("did you mean `max_record`?"));
        assert_eq!(refused(r#"{ "wrok": {} }"#).1.as_deref(), Some("did you mean `work`?"));
        let (message, _) = refused(r#"{ "version": 2 }"#);
        assert!(message.contains("version 2 of specs is not known, but 1 is"), "{message}");
        let (message, _) = refused(r#"{ "output": { "exists": "perhaps" } }"#);
        assert!(message.contains("expected fail, skip or replace"), "{message}");
    }
}
