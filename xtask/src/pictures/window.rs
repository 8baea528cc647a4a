//! The picture of a terminal: a window with the command, the bar that was drawn over later, and the
//! last screen.

use super::svg::{At, Rectangle, Svg};
use super::terminal::Recording;

/// A cell of the terminal, in pixels.
const CELL_WIDTH: f64 = 8.4;
const LINE_HEIGHT: f64 = 20.0;

const MARGIN: f64 = 22.0;
/// The bar at the top of the window.
const HEAD_HEIGHT: f64 = 34.0;

const TITLE: &str = "A terminal: host run counts the words of six logs, draws a progress bar, then a table and a summary";

const STYLE: &str = "
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d6dbe3 }
.window { fill: #161b22; stroke: #3d444d }
.close { fill: #f0665f }
.least { fill: #f2bd46 }
.most { fill: #54c258 }
.prompt { fill: #6fd38a }
.typed { fill: #ffffff; font-weight: bold }
.bar { fill: #6cb6ff }
.quiet { fill: #8f99a6 }
";

/// The file.
pub(super) fn draw(recording: &Recording) -> String {
    let prompt = "$ ";
    let command = format!("{prompt}{}", recording.command);
    let lines = [&command, &recording.bar].into_iter().chain(&recording.lines);
    let width = lines.map(|line| text_width(line)).fold(0.0, f64::max) + 2.0 * MARGIN;
    let mut svg = Svg::new(width);
    // Two lines are not of the last screen: command and bar. One is empty.
    let count = recording.lines.len() + 3;
    let height = HEAD_HEIGHT + f64::from(u32::try_from(count).unwrap_or(0)) * LINE_HEIGHT + MARGIN;
    let at = At { x: 0.5, y: 0.5 };
    svg.rectangle(&Rectangle { at, width: width - 1.0, height: height - 1.0, class: "window" });
    for (class, x) in [("close", 16.0), ("least", 34.0), ("most", 52.0)] {
        svg.circle(At { x: x + 5.0, y: 18.0 }, 5.5, class);
    }
    let mut y = HEAD_HEIGHT + LINE_HEIGHT;
    line(&mut svg, At { x: MARGIN, y }, "prompt", prompt);
    let x = MARGIN + text_width(prompt);
    line(&mut svg, At { x, y }, "typed", recording.command);
    y += LINE_HEIGHT;
    line(&mut svg, At { x: MARGIN, y }, "bar", &recording.bar);
    y += LINE_HEIGHT;
    let (first, last) = (0, recording.lines.len().saturating_sub(1));
    for (text, number) in recording.lines.iter().zip(0..) {
        let class = if number == first || number == last { "quiet" } else { "plain" };
        line(&mut svg, At { x: MARGIN, y }, class, text);
        y += LINE_HEIGHT;
    }
    line(&mut svg, At { x: MARGIN, y }, "prompt", prompt.trim_end());
    svg.finish(height, TITLE, STYLE)
}

/// A line of cells: what is put in front of its first letter would be lost by some viewers.
fn line(svg: &mut Svg, at: At, class: &str, text: &str) {
    let shown = text.trim_start();
    let indent = text_width(text) - text_width(shown);
    svg.fixed_text(At { x: at.x + indent, ..at }, text_width(shown), class, shown);
}

/// Every character that the host prints there is one cell wide.
fn text_width(text: &str) -> f64 {
    f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)) * CELL_WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_command_bar_and_every_line() {
        let lines = ["  n  source", "  1  logs/a", "1 source"].map(str::to_owned).to_vec();
        let picture =
            draw(&Recording { command: "host run", bar: "██ left".to_owned(), lines });
        for text in ["host run", "██ left", "n  source", "1  logs/a", "1 source"] {
            assert!(picture.contains(&format!(">{text}</text>")), "{text}: {picture}");
        }
        assert!(picture.len() < 30_000);
    }
}
