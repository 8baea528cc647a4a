//! Which entries are meant, in the words of the database.

use rusqlite::ToSql;

use super::entry::{Entries, Selection};

/// A condition on `entry`, with what it compares with.
pub(super) struct Filter<'a> {
    pub(super) sql: String,
    job: Option<&'a i64>,
    source: Option<&'a Vec<u8>>,
}

impl<'a> Filter<'a> {
    pub(super) fn of(selection: &'a Selection) -> Self {
        let job = selection.job.as_ref().map(|job| &job.0);
        // All jobs by their names, so that the index over job and source serves either way.
        let jobs = if job.is_some() { "job = :job" } else { "job IN (SELECT id FROM job)" };
        let (entries, source) = match &selection.entries {
            Entries::All => ("", None),
            Entries::Failed => (" AND failure_kind IS NOT NULL", None),
            Entries::Of(source) => (" AND source = :source", Some(source)),
        };
        Self { sql: format!("{jobs}{entries}"), job, source }
    }

    /// The same of the rows of a watch.
    pub(super) fn of_arrivals(selection: &'a Selection) -> Self {
        let Self { sql, job, source } = Self::of(selection);
        let sql = sql.replace("source = :source", "path = :source");
        Self { sql: sql.replace("failure_kind IS NOT NULL", "stage = 'failed'"), job, source }
    }

    pub(super) fn parameters(&self) -> Vec<(&str, &dyn ToSql)> {
        let job = self.job.map(|job| (":job", job as &dyn ToSql));
        let source = self.source.map(|source| (":source", source as &dyn ToSql));
        job.into_iter().chain(source).collect()
    }
}
