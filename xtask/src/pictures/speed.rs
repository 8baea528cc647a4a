//! The figures of `speed.json`: what each task took, by us and by others.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What the chart shows.
pub(super) struct Speed {
    /// Machine, date and load.
    pub(super) conditions: String,
    /// In the order of the file.
    pub(super) tasks: Vec<Task>,
}

/// One task.
pub(super) struct Task {
    pub(super) name: String,
    /// Median of the medians beside each other tool, in seconds.
    pub(super) ours_s: f64,
    /// Names of others and their times in seconds.
    pub(super) others: Vec<(String, f64)>,
}

impl Speed {
    /// Reads what `cargo xtask bench peers --json` has written.
    pub(super) fn parse(json: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(json)?;
        let text = |value: &Value, key: &str| {
            let found = value.get(key).and_then(Value::as_str).map(str::to_owned);
            found.with_context(|| format!("no text {key:?}"))
        };
        let seconds = |value: &Value, key: &str| {
            let found = value.get(key).and_then(Value::as_f64);
            found.filter(|seconds| *seconds > 0.0).with_context(|| format!("no time {key:?}"))
        };
        let (machine, date, load) =
            (text(&json, "machine")?, text(&json, "date")?, text(&json, "load")?);
        let mut tasks: Vec<(Task, Vec<f64>)> = Vec::new();
        let rows = json.get("rows").and_then(Value::as_array).context("no rows")?;
        for times in rows.iter().filter_map(|row| row.get("times").filter(|it| !it.is_null())) {
            let (name, other) = (text(times, "task")?, text(times, "other")?);
            let at = tasks.iter().position(|(task, _)| task.name == name);
            let at = at.unwrap_or_else(|| {
                tasks.push((Task { name, ours_s: 0.0, others: Vec::new() }, Vec::new()));
                tasks.len() - 1
            });
            if let Some((task, ours)) = tasks.get_mut(at) {
                task.others.push((other, seconds(times, "theirs_s")?));
                ours.push(seconds(times, "ours_s")?);
            }
        }
        ensure!(!tasks.is_empty(), "no row has times");
        let with_ours = |(task, ours)| Task { ours_s: median(ours), ..task };
        Ok(Self {
            conditions: format!("{machine}; {date}; load before the first run: {load}"),
            tasks: tasks.into_iter().map(with_ours).collect(),
        })
    }
}

/// The middle value, or the lower one of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(task: &str, other: &str, ours_s: f64, theirs_s: f64) -> Value {
        json!({ "times": { "task": task, "other": other, "ours_s": ours_s, "theirs_s": theirs_s } })
    }

    #[test]
    fn rows_of_a_task_are_one_task() {
        let rows = json!([
            row("a", "x", 0.3, 1.0),
            row("b", "x", 0.5, 0.1),
            row("a", "y", 0.1, 2.0),
            row("a", "z", 0.2, 3.0),
            json!({ "times": null }),
        ]);
        let json = json!({ "machine": "m", "date": "d", "load": "0.1", "rows": rows });
        let speed = Speed::parse(&json.to_string()).unwrap();
        let names: Vec<_> = speed.tasks.iter().map(|task| task.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let a = speed.tasks.first().unwrap();
        assert!((a.ours_s - 0.2).abs() < 1e-9);
        assert_eq!(a.others.iter().map(|(name, _)| name.as_str()).collect::<String>(), "xyz");
    }

    #[test]
    fn a_file_without_figures_is_refused() {
        let refused = |json: Value| Speed::parse(&json.to_string()).is_err();
        assert!(refused(json!({ "machine": "m", "date": "d", "load": "0", "rows": [] })));
        let rows = json!([row("a", "x", 0.0, 1.0)]);
        assert!(refused(json!({ "machine": "m", "date": "d", "load": "0", "rows": rows })));
    }
}
