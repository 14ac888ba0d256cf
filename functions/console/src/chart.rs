//! Charts, drawn here as SVG. They hold numbers and dates only; what the lines are stands beside them as text.
//!
//! Colours are roles, not colours: the style sheet gives each its colour, in the light and in the dark.

use domain::{Error, Result, Timestamp};
use plotters::{
    prelude::{
        AreaSeries, ChartBuilder, Circle, Color as _, IntoDrawingArea as _, IntoFont as _, LineSeries,
        PathElement, RGBColor, SVGBackend,
    },
    style::ShapeStyle,
};

/// What the style sheet calls ink, grid and marks.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const MARK: RGBColor = RGBColor(3, 3, 3);

/// The roles of lines, in their order.
const LINES: [RGBColor; 6] = [
    RGBColor(16, 0, 1),
    RGBColor(16, 0, 2),
    RGBColor(16, 0, 3),
    RGBColor(16, 0, 4),
    RGBColor(16, 0, 5),
    RGBColor(16, 0, 6),
];

const SIZE: (u32, u32) = (440, 180);

/// How the numbers at an axis are written.
pub(crate) type Written<'a> = &'a dyn Fn(f64) -> String;

/// Lines over one axis of numbers.
pub(crate) struct Chart<'a> {
    /// What it shows, for those who cannot see it.
    pub(crate) title: &'a str,
    /// The points of each line.
    pub(crate) lines: Vec<Vec<(f64, f64)>>,
    /// Where something happened.
    pub(crate) marks: Vec<f64>,
    /// Whether the space under the lines is filled.
    pub(crate) filled: bool,
    /// What the axis of values begins at, unless the values themselves say.
    pub(crate) from_zero: bool,
    /// How places are written.
    pub(crate) x: Written<'a>,
    /// How values are written.
    pub(crate) y: Written<'a>,
}

impl Chart<'_> {
    /// Draws it; `None` where there are not two places to draw between.
    pub(crate) fn draw(&self) -> Result<Option<String>> {
        let points = || self.lines.iter().flatten();
        let range = |of: fn(&(f64, f64)) -> f64| {
            points().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let (left, right) = range(|point| point.0);
        if points().count() < 2 || right <= left {
            return Ok(None);
        }
        // A point of a day stands at its beginning, and what happened on that day comes after it.
        let right = self.marks.iter().copied().fold(right, f64::max);
        let (low, high) = range(|point| point.1);
        let low = if self.from_zero { 0.0 } else { low };
        let room = (high - low).max(high.abs() * 0.05).max(1e-9) * 0.08;
        let bottom = if self.from_zero { 0.0 } else { low - room };
        let mut text = String::new();
        self.draw_on(&mut text, (left, right), (bottom, high + room)).map_err(Error::internal)?;
        Ok(Some(self.named(&text)))
    }

    fn draw_on(
        &self,
        text: &mut String,
        (left, right): (f64, f64),
        (bottom, top): (f64, f64),
    ) -> std::result::Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(6)
            .x_label_area_size(22)
            .y_label_area_size(58)
            .build_cartesian_2d(left..right, bottom..top)
            .map_err(|error| failed(&error))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(6)
            .y_labels(4)
            .bold_line_style(GRID)
            .light_line_style(GRID.mix(0.0))
            .axis_style(GRID)
            .label_style(("sans-serif", 12).into_font().color(&INK))
            .x_label_formatter(&|place| (self.x)(*place))
            .y_label_formatter(&|value| (self.y)(*value))
            .draw()
            .map_err(|error| failed(&error))?;
        for place in self.marks.iter().filter(|place| (left..=right).contains(*place)) {
            let line = PathElement::new(vec![(*place, bottom), (*place, top)], MARK);
            chart.draw_series([line]).map_err(|error| failed(&error))?;
        }
        for (line, colour) in self.lines.iter().zip(LINES.iter().cycle()) {
            if self.filled {
                let filled = AreaSeries::new(line.iter().copied(), bottom, colour.mix(0.2));
                chart.draw_series(filled).map_err(|error| failed(&error))?;
            }
            if let [only] = line.as_slice() {
                let point = Circle::new(*only, 3, colour.filled());
                chart.draw_series([point]).map_err(|error| failed(&error))?;
            }
            let style = ShapeStyle::from(colour).stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.iter().copied(), style))
                .map_err(|error| failed(&error))?;
        }
        area.present().map_err(|error| failed(&error))
    }

    /// With a name for those who do not see it, and as wide as there is room.
    fn named(&self, text: &str) -> String {
        let (width, height) = SIZE;
        let plain = format!("<svg width=\"{width}\" height=\"{height}\"");
        let title = web::visible(self.title);
        text.replacen(&plain, &format!("<svg class=\"chart\" role=\"img\" aria-label=\"{title}\""), 1)
    }
}

/// A moment as a place on an axis.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time are far below 2^52")]
pub(crate) fn place(moment: Timestamp) -> f64 {
    moment.as_millis() as f64
}

/// A place as a day.
#[expect(clippy::cast_possible_truncation, reason = "it was a moment")]
pub(crate) fn day(place: f64) -> String {
    Timestamp::from_millis(place as i64).to_string().get(5..10).unwrap_or_default().to_owned()
}

/// A place as the time of a day.
#[expect(clippy::cast_possible_truncation, reason = "it was a moment")]
pub(crate) fn time(place: f64) -> String {
    Timestamp::from_millis(place as i64).to_string().get(11..16).unwrap_or_default().to_owned()
}

/// A number with as many digits as it needs.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        huge if huge >= 1e6 => format!("{:.1} M", value / 1e6),
        large if large >= 1e4 => format!("{:.0} k", value / 1e3),
        middle if middle >= 10.0 || middle == 0.0 => format!("{value:.0}"),
        small if small >= 0.1 => without_zeros(&format!("{value:.2}")),
        _ => without_zeros(&format!("{value:.4}")),
    }
}

/// Without zeros at the end of its fraction.
fn without_zeros(fraction: &str) -> String {
    fraction.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as percent.
pub(crate) fn percent(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_digits_that_it_needs() {
        let numbers = [0.0, 0.01, 0.55, 5.0, 4.25, 120.0, 12_000.0, 2_500_000.0];
        let written = ["0", "0.01", "0.55", "5", "4.25", "120", "12 k", "2.5 M"];
        assert_eq!(numbers.map(number), written);
    }

    #[test]
    fn a_chart_needs_two_places_and_holds_no_style() {
        let chart = |points: &[(f64, f64)]| {
            let chart = Chart {
                title: "<b>",
                lines: vec![points.to_vec()],
                marks: vec![1.5],
                filled: true,
                from_zero: true,
                x: &number,
                y: &percent,
            };
            chart.draw().unwrap()
        };
        assert_eq!(chart(&[(1.0, 1.0)]), None);
        let drawn = chart(&[(1.0, 1.0), (2.0, 3.0)]).unwrap();
        assert!(drawn.starts_with("<svg class=\"chart\" role=\"img\" aria-label=\"&lt;b&gt;\""), "{drawn}");
        assert!(
            !drawn.contains("style=") && drawn.contains("#100001") && drawn.contains("#030303"),
            "{drawn}"
        );
    }

    #[test]
    fn what_happened_after_the_last_point_is_marked_and_what_was_before_the_first_is_not() {
        let marked = |mark: f64| {
            let chart = Chart {
                title: "a",
                lines: vec![vec![(1.0, 1.0), (2.0, 3.0)]],
                marks: vec![mark],
                filled: false,
                from_zero: true,
                x: &number,
                y: &percent,
            };
            chart.draw().unwrap().unwrap().contains("#030303")
        };
        assert_eq!([0.5, 1.5, 2.0, 2.7].map(marked), [false, true, true, true]);
    }
}
