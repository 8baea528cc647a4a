//! The chart of the times: for each task our bar, and below it those of others, all on one linear
//! scale.
//!
//! Each task has a scale of its own: its longest bar is as wide as a bar can be. Tools that are
//! faster than we are stand out by a colour.

use super::speed::{Speed, Task};
use super::svg::{At, Rectangle, Svg};

const WIDTH: f64 = 860.0;
const MARGIN: f64 = 24.0;
/// Between the two columns.
const GAP: f64 = 28.0;
const COLUMN: f64 = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;

/// In a column: the names, the longest bar, and behind it the seconds and the ratio.
const NAMES: f64 = 104.0;
const BAR: f64 = 178.0;
const SECONDS: f64 = 56.0;

const HEAD: f64 = 78.0;
const FOOT: f64 = 34.0;
const LINE: f64 = 19.0;
const BETWEEN: f64 = 18.0;

const TITLE: &str =
    "Bar chart: seconds that Gristmill and other tools take for the same task on the same file";

const STYLE: &str = "
text { font: 12px -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #d6dbe3 }
.window { fill: #161b22; stroke: #3d444d }
.title { font-size: 16px; font-weight: bold; fill: #ffffff }
.task { font-weight: bold; fill: #ffffff }
.ours { fill: #6fd38a }
.name { fill: #6fd38a; font-weight: bold }
.other { fill: #55606e }
.quiet { fill: #9aa4b1 }
.faster { fill: #f2bd46 }
";

/// The file.
pub(super) fn draw(speed: &Speed) -> String {
    let mut svg = Svg::new(WIDTH);
    let places = places(&speed.tasks);
    let end = speed.tasks.iter().zip(&places).map(|(task, at)| at.y + height(task));
    let height = end.fold(HEAD, f64::max) + FOOT;
    let at = At { x: 0.5, y: 0.5 };
    svg.rectangle(&Rectangle { at, width: WIDTH - 1.0, height: height - 1.0, class: "window" });
    svg.text(At { x: MARGIN, y: 34.0 }, "title", "Seconds for the same task on the same file");
    let legend = "Less is better. Behind the seconds: their time over ours; below 1, in yellow, the other tool is faster. Each task has its own scale.";
    svg.text(At { x: MARGIN, y: 54.0 }, "quiet", legend);
    for (task, place) in speed.tasks.iter().zip(places) {
        group(&mut svg, task, place);
    }
    let foot = At { x: MARGIN, y: height - 16.0 };
    svg.text(foot, "quiet", &format!("{}. cargo xtask bench peers", speed.conditions));
    svg.finish(height, TITLE, STYLE)
}

/// Where each task begins: the first half of the lines is on the left.
fn places(tasks: &[Task]) -> Vec<At> {
    let total: f64 = tasks.iter().map(height).sum();
    let (mut x, mut y, mut above) = (MARGIN, HEAD, 0.0);
    let mut places = Vec::new();
    for task in tasks {
        let height = height(task);
        if x < MARGIN + COLUMN && above > 0.0 && above + height / 2.0 > total / 2.0 {
            (x, y) = (MARGIN + COLUMN + GAP, HEAD);
        }
        places.push(At { x, y });
        y += height;
        above += height;
    }
    places
}

/// A heading, our bar, those of others, and what is left empty below.
fn height(task: &Task) -> f64 {
    let lines = u32::try_from(task.others.len()).unwrap_or(0) + 2;
    f64::from(lines) * LINE + BETWEEN
}

fn group(svg: &mut Svg, task: &Task, place: At) {
    let longest = task.others.iter().map(|(_, seconds)| *seconds).fold(task.ours_s, f64::max);
    let mut y = place.y + 14.0;
    svg.text(At { x: place.x, y }, "task", &task.name);
    let mut bar = |name: &str, seconds: f64, classes: [&str; 3], ratio: &str| {
        y += LINE;
        let [name_class, bar_class, ratio_class] = classes;
        svg.text(At { x: place.x, y }, name_class, name);
        let (x, width) = (place.x + NAMES, (BAR * seconds / longest).max(1.0));
        let at = At { x, y: y - 11.0 };
        svg.rectangle(&Rectangle { at, width, height: 14.0, class: bar_class });
        let x = x + width + 7.0;
        svg.text(At { x, y }, "figure", &written(seconds));
        svg.text(At { x: x + SECONDS, y }, ratio_class, ratio);
    };
    bar("Gristmill", task.ours_s, ["name", "ours", "quiet"], "");
    for (name, seconds) in &task.others {
        let ratio = seconds / task.ours_s;
        let class = if ratio < 1.0 { "faster" } else { "quiet" };
        bar(name, *seconds, ["other-name", "other", class], &times(ratio));
    }
}

fn written(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}x") } else { format!("{ratio:.0}x") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, ours_s: f64, others: &[(&str, f64)]) -> Task {
        let others = others.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect();
        Task { name: name.to_owned(), ours_s, others }
    }

    #[test]
    fn every_time_is_text_and_a_faster_tool_stands_out() {
        let tasks = vec![
            task("count", 0.5, &[("slow", 12.345), ("quick", 0.25)]),
            task("sort", 1.0, &[("other", 2.0)]),
        ];
        let picture = draw(&Speed { conditions: "a machine".to_owned(), tasks });
        for text in ["count", "0.50 s", "slow", "12.3 s", "25x", "0.25 s", "2.0x"] {
            assert!(picture.contains(&format!(">{text}</text>")), "{text}: {picture}");
        }
        assert!(picture.contains("class=\"faster\">0.5x<"), "{picture}");
        assert!(picture.contains("<title") && picture.contains("a machine"));
    }

    #[test]
    fn the_longest_bar_of_a_task_is_as_wide_as_a_bar_can_be() {
        let tasks = vec![task("count", 1.0, &[("half", 0.5), ("double", 2.0)])];
        let picture = draw(&Speed { conditions: String::new(), tasks });
        for width in [BAR / 4.0, BAR / 2.0, BAR] {
            assert!(picture.contains(&format!("width=\"{width:.1}\" height=\"14.0\"")), "{width}");
        }
    }

    #[test]
    fn tasks_fill_two_columns() {
        let tasks: Vec<_> = ["a", "b", "c", "d"].map(|name| task(name, 1.0, &[("x", 1.0)])).into();
        let lefts: Vec<_> = places(&tasks).iter().map(|at| at.x < MARGIN + COLUMN).collect();
        assert_eq!(lefts, [true, true, false, false]);
    }
}
