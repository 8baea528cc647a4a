//! A spec in the one form that is compared and digested.

use serde_json::Value;

use super::{JobSpec, Problem};

impl JobSpec {
    /// The spec in JSON without what is as it would be unsaid, keys in the order of their bytes:
    /// two specs that ask for the same have the same text, and so has the same spec after a setting
    /// was added that it does not use.
    ///
    /// # Errors
    /// When a path in it is not UTF-8, which JSON cannot hold.
    pub fn canonical(&self) -> Result<String, Problem> {
        let mut value = value(self)?;
        drop_equal(&mut value, &value_of_default()?);
        value.sort_all_objects();
        Ok(value.to_string())
    }
}

fn value_of_default() -> Result<Value, Problem> {
    let mut value = value(&JobSpec::default())?;
    if let Value::Object(fields) = &mut value {
        fields.remove("version"); // it says how the rest is to be read
    }
    Ok(value)
}

pub(super) fn value(spec: &JobSpec) -> Result<Value, Problem> {
    serde_json::to_value(spec).map_err(|error| Problem::new(format!("the spec in JSON: {error}")))
}

/// Takes out of a table what another has the same, and tables that are empty then.
fn drop_equal(value: &mut Value, other: &Value) {
    let (Value::Object(fields), Value::Object(others)) = (value, other) else { return };
    fields.retain(|key, field| {
        let Some(other) = others.get(key) else { return true };
        drop_equal(field, other);
        let is_empty = field.as_object().is_some_and(serde_json::Map::is_empty);
        field != other && !is_empty
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Size;

    #[test]
    fn what_is_as_it_would_be_unsaid_is_left_out_and_keys_are_sorted() {
        assert_eq!(JobSpec::default().canonical().unwrap(), r#"{"version":1}"#);
        let mut spec = JobSpec::of("a.wasm".into(), vec!["x".into()]);
        spec.set("b", "2").unwrap();
        spec.set("a", "1").unwrap();
        spec.inputs.max_record = Size(1 << 20);
        let expected = r#"{"branch":[{"stage":[{"name":"a","plugin":"a.wasm","settings":{"a":"1","b":"2"}}]}],"inputs":{"files":["x"],"max_record":1048576},"version":1}"#;
        assert_eq!(spec.canonical().unwrap(), expected);
        assert_eq!(
            JobSpec::from_json(expected),
            Ok(JobSpec::from_json(&spec.to_json().unwrap()).unwrap())
        );
    }

    #[test]
    fn a_path_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let path = std::ffi::OsString::from_vec(b"caf\xe9".to_vec());
        let spec = JobSpec::of("a.wasm".into(), vec![path.into()]);
        let message = spec.canonical().unwrap_err().to_string();
        assert_eq!(message, "the spec in JSON: path contains invalid UTF-8 characters");
        assert!(spec.to_json().is_err());
    }
}
