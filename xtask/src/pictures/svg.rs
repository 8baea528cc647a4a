//! The little of SVG 1.1 that the pictures are made of: rectangles, circles and text that stays
//! text.
//!
//! A picture brings its own background, so it reads the same on a light page and on a dark one.

use std::fmt::Write;

/// A picture that is being drawn.
pub(super) struct Svg {
    body: String,
    width: f64,
}

/// Where a text is put: the left end of its base line.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The corner, the size and the class of a rectangle.
pub(super) struct Rectangle<'a> {
    pub(super) at: At,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) class: &'a str,
}

impl Svg {
    /// A picture as wide as this, with nothing in it.
    pub(super) fn new(width: f64) -> Self {
        Self { body: String::new(), width }
    }

    /// A line of text.
    pub(super) fn text(&mut self, at: At, class: &str, text: &str) {
        let text = escaped(text);
        self.add(&format!(
            r#"<text x="{:.1}" y="{:.1}" class="{class}">{text}</text>"#,
            at.x, at.y
        ));
    }

    /// A line of text that takes this width whatever the font: columns stay columns.
    pub(super) fn fixed_text(&mut self, at: At, width: f64, class: &str, text: &str) {
        let (At { x, y }, text) = (at, escaped(text));
        let fit = format!(r#"textLength="{width:.1}" lengthAdjust="spacingAndGlyphs""#);
        self.add(&format!(r#"<text x="{x:.1}" y="{y:.1}" {fit} class="{class}">{text}</text>"#));
    }

    /// A rectangle with round corners.
    pub(super) fn rectangle(&mut self, rectangle: &Rectangle) {
        let Rectangle { at: At { x, y }, width, height, class } = rectangle;
        let corner = if *height > 40.0 { 8 } else { 2 };
        self.add(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="{corner}" class="{class}"/>"#
        ));
    }

    /// A filled circle.
    pub(super) fn circle(&mut self, middle: At, radius: f64, class: &str) {
        let At { x, y } = middle;
        self.add(&format!(r#"<circle cx="{x}" cy="{y}" r="{radius}" class="{class}"/>"#));
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// The file: a title, which screen readers read, the style of the classes, and what was drawn.
    pub(super) fn finish(self, height: f64, title: &str, style: &str) -> String {
        let (width, title) = (self.width, escaped(title));
        let mut file = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            file,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" xml:space="preserve" role="img" aria-labelledby="title">"#
        );
        let _ = writeln!(file, r#"<title id="title">{title}</title>"#);
        let _ = writeln!(file, "<style>\n{}\n</style>", style.trim());
        file + &self.body + "</svg>\n"
    }
}

/// Text as XML has it. Spaces are kept by `xml:space`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_its_element() {
        let mut svg = Svg::new(10.0);
        svg.text(At { x: 1.0, y: 2.0 }, "plain", r#"a < b && "c" > d"#);
        let file = svg.finish(10.0, "<title>", "");
        assert!(file.contains("a &lt; b &amp;&amp; &quot;c&quot; &gt; d</text>"), "{file}");
        assert!(file.contains(">&lt;title&gt;</title>"), "{file}");
    }
}
