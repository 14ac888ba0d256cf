//! The chart: a dot for each system on a logarithmic axis, as SVG that can be read in the light and in the dark.

use benches::Outcome;
use plotters::{
    coord::Shift,
    prelude::{
        Circle, Color as _, DrawingArea, IntoDrawingArea as _, IntoFont as _, PathElement, RGBColor,
        SVGBackend, Text,
    },
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::system::Kind;

/// A colour in the light, and what it is in the dark.
struct Colour(RGBColor, RGBColor);

const GROUND: Colour = Colour(RGBColor(255, 255, 255), RGBColor(18, 21, 27));
const INK: Colour = Colour(RGBColor(26, 31, 41), RGBColor(231, 234, 240));
const SOFT: Colour = Colour(RGBColor(81, 91, 107), RGBColor(169, 178, 193));
const GRID: Colour = Colour(RGBColor(213, 217, 224), RGBColor(52, 59, 72));
const LIMIT: Colour = Colour(RGBColor(84, 97, 113), RGBColor(180, 191, 206));
const OURS: Colour = Colour(RGBColor(31, 95, 191), RGBColor(138, 184, 255));
const PEER: Colour = Colour(RGBColor(180, 83, 26), RGBColor(240, 163, 111));

const TITLE: &str = "Reads of a prompt by its name, requests/s (logarithmic)";
const WIDTH: i32 = 760;
/// Where the axis begins and ends: the names stand before it, and figures may stand behind it.
const AXIS: (i32, i32) = (290, 680);
const TOP: i32 = 64;
const ROW: i32 = 28;

/// How fast a system is.
pub(crate) struct Mark<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
    pub(crate) rate: f64,
}

impl Mark<'_> {
    fn colour(&self) -> Colour {
        match self.kind {
            Kind::Limit => LIMIT,
            Kind::Ours => OURS,
            Kind::Peer => PEER,
        }
    }
}

/// The powers of ten between which all rates are.
struct Decades {
    least: i32,
    most: i32,
}

impl Decades {
    #[expect(clippy::cast_possible_truncation, reason = "a place in a small picture")]
    fn of(marks: &[Mark<'_>]) -> Self {
        let powers = || marks.iter().map(|mark| mark.rate.max(1.0).log10());
        let least = powers().fold(f64::INFINITY, f64::min).floor() as i32;
        let most = powers().fold(0.0, f64::max).ceil() as i32;
        Self { least, most: most.max(least + 1) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a place in a small picture")]
    fn place(&self, rate: f64) -> i32 {
        let share = (rate.max(1.0).log10() - f64::from(self.least)) / f64::from(self.most - self.least);
        AXIS.0 + (share * f64::from(AXIS.1 - AXIS.0)).round() as i32
    }
}

/// Draws it, with a line below the title that says how the figures came to be.
pub(crate) fn draw(marks: &[Mark<'_>], how: &str) -> Outcome<String> {
    let (decades, bottom) = (Decades::of(marks), TOP + ROW * i32::try_from(marks.len())?);
    let mut text = String::new();
    let size = (WIDTH.try_into()?, (bottom + 34).try_into()?);
    let canvas = Canvas(SVGBackend::with_string(&mut text, size).into_drawing_area());
    canvas.0.fill(&GROUND.0)?;
    canvas.write(TITLE, (16, 20), HPos::Left, 19, &INK)?;
    canvas.write(how, (16, 42), HPos::Left, 14, &SOFT)?;
    for power in decades.least..=decades.most {
        let rate = 10_f64.powi(power);
        let place = decades.place(rate);
        canvas.line((place, TOP), (place, bottom))?;
        canvas.write(&grouped(rate), (place, bottom + 14), HPos::Center, 14, &SOFT)?;
    }
    for (mark, at) in marks.iter().zip(0..) {
        let (place, height) = (decades.place(mark.rate), TOP + ROW * at + ROW / 2);
        canvas.line((AXIS.0, height), (AXIS.1, height))?;
        canvas.write(mark.name, (AXIS.0 - 10, height), HPos::Right, 15, &INK)?;
        canvas.write(&grouped(mark.rate), (place + 10, height - 8), HPos::Left, 14, &INK)?;
        canvas.0.draw(&Circle::new((place, height), 6, mark.colour().0.filled()))?;
    }
    canvas.0.present()?;
    drop(canvas);
    Ok(named(&text))
}

/// What is drawn on.
struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

impl Canvas<'_> {
    /// Writes at half the height of the letters.
    fn write(&self, text: &str, at: (i32, i32), anchor: HPos, size: i32, colour: &Colour) -> Outcome<()> {
        let style = ("sans-serif", size).into_font().color(&colour.0).pos(Pos::new(anchor, VPos::Center));
        Ok(self.0.draw(&Text::new(text.to_owned(), at, style))?)
    }

    fn line(&self, from: (i32, i32), to: (i32, i32)) -> Outcome<()> {
        Ok(self.0.draw(&PathElement::new(vec![from, to], GRID.0))?)
    }
}

/// With a name for those who do not see it, and with the colours of the dark.
fn named(text: &str) -> String {
    let dark = [GROUND, INK, SOFT, GRID, LIMIT, OURS, PEER]
        .iter()
        .map(|Colour(light, dark)| {
            let [light, dark] =
                [light, dark].map(|RGBColor(red, green, blue)| format!("#{red:02X}{green:02X}{blue:02X}"));
            format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
        })
        .collect::<Vec<_>>()
        .concat();
    let style = format!("<style>@media (prefers-color-scheme: dark){{{dark}}}</style>");
    let begin = text.find("<svg ").map_or(0, |at| at + "<svg ".len());
    let (before, rest) = text.split_at(begin);
    let end = rest.find(">\n").map_or(0, |at| at + 1);
    let (head, rest) = rest.split_at(end);
    format!("{before}role=\"img\" aria-label=\"{TITLE}\" {head}\n{style}{rest}")
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
