//! The settings of a run, checked against the manifest before a plugin sees them.

use std::fmt::Display;
use std::str::FromStr;

use crate::{Error, Manifest};

/// The settings of a run: those that the user gave, and the defaults of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// What the user gave, completed with the manifest's defaults.
    ///
    /// # Errors
    /// A setting is unknown, given twice, or required and not given.
    pub(crate) fn check(manifest: &Manifest, given: Vec<(String, String)>) -> Result<Self, Error> {
        let mut checked: Vec<(String, String)> = Vec::with_capacity(manifest.settings.len());
        for (key, value) in given {
            if manifest.settings.iter().all(|setting| setting.key != key) {
                return Err(unknown(manifest, &key));
            }
            if checked.iter().any(|(earlier, _)| *earlier == key) {
                return Err(Error::fatal(format_args!("setting `{key}` is given twice")));
            }
            checked.push((key, value));
        }
        for setting in &manifest.settings {
            if checked.iter().any(|(key, _)| *key == setting.key) {
                continue;
            }
            let Some(default) = &setting.default else {
                return Err(missing(&setting.key, &setting.summary));
            };
            checked.push((setting.key.clone(), default.clone()));
        }
        Ok(Self(checked))
    }

    /// The text of a setting; none if the manifest does not declare it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// A setting as any type that can be read from text: `settings.parse::<u64>("limit")?`.
    ///
    /// # Errors
    /// The text is no such value, or the manifest does not declare the setting.
    pub fn parse<T: FromStr<Err: Display>>(&self, key: &str) -> Result<T, Error> {
        let Some(text) = self.get(key) else {
            return Err(Error::fatal(format_args!("the manifest declares no setting `{key}`")));
        };
        text.parse().map_err(|error| {
            Error::fatal(format_args!("setting `{key}` cannot be `{text}`: {error}"))
        })
    }

    /// The value of the choice that a setting names:
    /// `settings.choice("types", &[("off", Types::Off), ("on", Types::On)])?`.
    ///
    /// # Errors
    /// The text is none of the names, or the manifest does not declare the setting.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, Error> {
        let name: String = self.parse(key)?;
        let found = choices.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let names = match names.split_last() {
                Some((last, rest)) if !rest.is_empty() => {
                    [&rest.join(", "), " or ", *last].concat()
                }
                _ => names.concat(),
            };
            Error::fatal(format_args!("setting `{key}` cannot be `{name}`: it is {names}"))
        })
    }
}

fn unknown(manifest: &Manifest, key: &str) -> Error {
    let known: Vec<String> =
        manifest.settings.iter().map(|setting| format!("`{}`", setting.key)).collect();
    let takes = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Error::fatal(format_args!("unknown setting `{key}`: {} takes {takes}", manifest.name))
}

fn missing(key: &str, summary: &str) -> Error {
    Error::fatal(format_args!("setting `{key}` is required: {summary}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[(&str, &str)]) -> Result<Settings, String> {
        let manifest = Manifest::new("sample", "1.0.0", "A sample.")
            .setting("chars", "false", "Count characters.")
            .required_setting("rate", "One in how many.");
        let given = given.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        Settings::check(&manifest, given).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_filled_in_and_values_parsed() {
        let settings = check(&[("rate", "12")]).unwrap();
        assert_eq!(settings.parse("rate"), Ok(12_u32));
        assert_eq!(settings.parse("chars"), Ok(false));
        assert_eq!(settings.get("other"), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |given: &[(&str, &str)]| check(given).unwrap_err();
        assert_eq!(refused(&[("x", "1")]), "unknown setting `x`: sample takes `chars`, `rate`");
        assert_eq!(refused(&[]), "setting `rate` is required: One in how many.");
        assert_eq!(refused(&[("rate", "1"), ("rate", "2")]), "setting `rate` is given twice");
        let settings = check(&[("rate", "few")]).unwrap();
        let error = settings.parse::<u32>("rate").unwrap_err().to_string();
        assert_eq!(error, "setting `rate` cannot be `few`: invalid digit found in string");
        let error = settings.parse::<u32>("other").unwrap_err().to_string();
        assert_eq!(error, "the manifest declares no setting `other`");
    }

    #[test]
    fn a_choice_is_one_of_the_names() {
        let settings = check(&[("rate", "two")]).unwrap();
        assert_eq!(settings.choice("rate", &[("one", 1), ("two", 2)]), Ok(2));
        let refused = |choices| settings.choice::<u8>("rate", choices).unwrap_err().to_string();
        assert_eq!(refused(&[("one", 1)]), "setting `rate` cannot be `two`: it is one");
        assert_eq!(
            refused(&[("one", 1), ("four", 4)]),
            "setting `rate` cannot be `two`: it is one or four"
        );
        assert_eq!(
            refused(&[("one", 1), ("four", 4), ("TWO", 2)]),
            "setting `rate` cannot be `two`: it is one, four or TWO"
        );
        let error = settings.choice("other", &[("one", 1)]).unwrap_err().to_string();
        assert_eq!(error, "the manifest declares no setting `other`");
    }

    #[test]
    fn a_plugin_without_settings_refuses_any() {
        let manifest = Manifest::new("plain", "1.0.0", "");
        let error = Settings::check(&manifest, vec![("a".into(), "b".into())]).unwrap_err();
        assert_eq!(error.to_string(), "unknown setting `a`: plain takes none");
    }
}
