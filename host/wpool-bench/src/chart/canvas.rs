//! A canvas for charts: lines, rectangles and texts at pixels.

use crate::escape;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The colour of texts and of the most important lines. On a dark background, pages replace this
/// colour and the next two.
pub(crate) const INK: u32 = 0x1f2328;
/// The colour of secondary texts and lines.
pub(crate) const MUTED: u32 = 0x6e7781;
/// The colour of a grid.
pub(crate) const FAINT: u32 = 0xd8dee4;

/// The height of texts.
const FONT_PIXELS: f64 = 13.0;

/// The ratio of line height to font size; plotters takes the height of a line for the size of a
/// font.
const LINE_PER_FONT: f64 = 1.24;

/// The point of a text whose position is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// The style of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    Plain,
    Muted,
    Bold,
    /// The text runs from bottom to top.
    Upward,
}

/// A picture that is being drawn.
pub(crate) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Converts a colour for plotters.
fn rgb(color: u32) -> RGBColor {
    let [_, red, green, blue] = color.to_be_bytes();
    RGBColor(red, green, blue)
}

fn stroke(color: u32, width: u32) -> ShapeStyle {
    ShapeStyle { color: rgb(color).to_rgba(), filled: true, stroke_width: width }
}

/// Draws a picture of this size in pixels, as SVG.
pub(crate) fn picture(width: i32, height: i32, draw: impl FnOnce(&mut Canvas)) -> String {
    let mut svg = String::new();
    let size = (width.unsigned_abs(), height.unsigned_abs());
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut svg, size) };
    draw(&mut canvas);
    canvas.backend.present().expect(CANNOT_FAIL);
    drop(canvas);
    svg
}

const CANNOT_FAIL: &str = "writing to a String cannot fail";

impl Canvas<'_> {
    /// Draws the title of the picture, in the upper left corner.
    pub(crate) fn title(&mut self, title: &str) {
        self.text(title, (4, 16), Anchor::Start, Look::Bold);
    }

    /// Draws a text, in the middle of a line at `y`.
    pub(crate) fn text(&mut self, text: &str, (x, y): (i32, i32), anchor: Anchor, look: Look) {
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let color = if matches!(look, Look::Muted) { MUTED } else { INK };
        let mut font = ("sans-serif", FONT_PIXELS * LINE_PER_FONT).into_font();
        match look {
            Look::Plain | Look::Muted => {}
            Look::Bold => font = font.style(FontStyle::Bold),
            Look::Upward => font = font.transform(FontTransform::Rotate270),
        }
        let style = font.color(&rgb(color)).pos(Pos::new(h_pos, VPos::Center));
        self.backend.draw_text(&escape::text(text), &style, (x, y)).expect(CANNOT_FAIL);
    }

    pub(crate) fn line(&mut self, from: (i32, i32), to: (i32, i32), color: u32) {
        self.backend.draw_line(from, to, &stroke(color, 1)).expect(CANNOT_FAIL);
    }

    pub(crate) fn path(&mut self, points: &[(i32, i32)], color: u32) {
        let points = points.iter().copied();
        self.backend.draw_path(points, &stroke(color, 2)).expect(CANNOT_FAIL);
    }

    /// Draws a straight dashed line.
    pub(crate) fn dashes(&mut self, from: (i32, i32), to: (i32, i32), color: u32) {
        const DASH: f64 = 6.0;
        let (across, down) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = across.hypot(down).max(1.0);
        let at = |distance: f64| {
            let part = (distance / length).min(1.0);
            (from.0 + (across * part) as i32, from.1 + (down * part) as i32)
        };
        let mut start = 0.0;
        while start < length {
            self.line(at(start), at(start + DASH), color);
            start += 2.0 * DASH;
        }
    }

    /// Draws a filled rectangle, at least a pixel wide, so that no event is invisible.
    pub(crate) fn rectangle(&mut self, from: (i32, i32), to: (i32, i32), color: u32) {
        let to = (to.0.max(from.0 + 1), to.1);
        self.backend.draw_rect(from, to, &stroke(color, 0), true).expect(CANNOT_FAIL);
    }

    /// Draws the mark of a point. The marks of the first four kinds differ in their shapes.
    pub(crate) fn mark(&mut self, kind: usize, (x, y): (i32, i32), color: u32) {
        let stroke = stroke(color, 1);
        let corners = match kind % 4 {
            0 => return self.backend.draw_circle((x, y), 5, &stroke, true).expect(CANNOT_FAIL),
            1 => vec![(x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5)],
            2 => vec![(x, y - 6), (x + 6, y + 5), (x - 6, y + 5)],
            _ => vec![(x, y - 7), (x + 7, y), (x, y + 7), (x - 7, y)],
        };
        self.backend.fill_polygon(corners, &stroke).expect(CANNOT_FAIL);
    }
}

/// Returns the number of pixels that a text may take. The reader's font is not known, so the
/// estimate is generous.
pub(crate) fn width(text: &str) -> i32 {
    let ems = text.chars().map(|char| match char {
        'W' | 'm' | '@' | '%' => 1.0,
        'A'..='Z' | 'w' | '+' | '<'..='>' | '^' | '~' => 0.86,
        '\0'..='\x7f' => 0.64,
        '\u{80}'..'\u{1100}' | '…' => 1.0,
        // Ideographs are as wide as high, and emoji a little wider.
        _ => 1.4,
    });
    (ems.sum::<f64>() * FONT_PIXELS).ceil() as i32
}

/// Returns the text, or as much of its beginning and its end as fits.
pub(crate) fn shortened(text: &str, pixels_max: i32) -> String {
    let chars: Vec<char> = text.chars().collect();
    let side = |count: usize| -> (String, String) {
        (chars[..count].iter().collect(), chars[chars.len() - count..].iter().collect())
    };
    if width(text) <= pixels_max {
        return text.to_owned();
    }
    let fits = |count: &usize| {
        let (start, end) = side(*count);
        width(&start) + width("…") + width(&end) <= pixels_max
    };
    let (start, end) = side((0..chars.len() / 2).rev().find(fits).unwrap_or(0));
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        assert_eq!(shortened("wasm reuse", 100), "wasm reuse");
        let short = shortened("a-module-with-a-name-that-never-ends, 2 workers", 200);
        assert!(short.starts_with("a-modu") && short.ends_with(" workers"), "{short}");
        assert!(width(&short) <= 200 && short.contains('…'));
        assert_eq!(shortened("abc", 0), "…");
    }

    #[test]
    fn what_a_text_holds_is_text() {
        let svg = picture(10, 10, |canvas| {
            canvas.text("<script>&\"\x1b", (5, 5), Anchor::Middle, Look::Bold);
        });
        super::super::check(&svg);
        assert!(svg.contains("&lt;script&gt;&amp;&quot;\\x1b"), "{svg}");
    }
}
