//! Numbers that print as they were written and calculate as Python's do.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use minijinja::machinery::ast::BinOpKind;

use super::budget::Outcome;

/// A number. Whole numbers are exact up to 128 bits; the others are doubles that remember their written form.
#[derive(Debug, Clone)]
pub(super) enum Number {
    Whole(i128),
    Real(f64, Option<Arc<str>>),
}

impl Number {
    /// Reads a JSON number.
    pub(super) fn read(text: &str) -> Option<Self> {
        // The one whole number that does not print as it is written.
        if text != "-0"
            && let Ok(whole) = text.parse()
        {
            return Some(Self::Whole(whole));
        }
        Some(Self::Real(text.parse().ok()?, Some(text.into())))
    }

    /// The result of a calculation.
    pub(super) fn computed(real: f64) -> Outcome<Self> {
        if !real.is_finite() {
            return Err("the number is too large".to_owned());
        }
        Ok(Self::Real(real, None))
    }

    /// The written form; computed doubles print as Python's do (`3.0`).
    pub(super) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Real(_, Some(text)) => Cow::Borrowed(text),
            Self::Real(real, None) => Cow::Owned(format!("{real:?}")),
            Self::Whole(whole) => Cow::Owned(whole.to_string()),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "as in Python, a whole number meeting a double becomes one"
    )]
    pub(super) fn real(&self) -> f64 {
        match self {
            Self::Whole(whole) => *whole as f64,
            Self::Real(real, _) => *real,
        }
    }

    /// The whole number nearest to zero that is not beyond this one.
    #[expect(clippy::cast_possible_truncation, reason = "truncation is what is asked for; it saturates")]
    pub(super) fn truncated(&self) -> i128 {
        match self {
            Self::Whole(whole) => *whole,
            Self::Real(real, _) => *real as i128,
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.real() == 0.0
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// A position or count, if it is one.
    pub(super) fn index(&self) -> Option<i64> {
        match self {
            Self::Whole(whole) => i64::try_from(*whole).ok(),
            Self::Real(..) => None,
        }
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(right),
            _ => self.real().partial_cmp(&other.real()).unwrap_or(Ordering::Equal),
        }
    }

    pub(super) fn negated(&self) -> Outcome<Self> {
        Self::Whole(0).calculate(BinOpKind::Sub, self)
    }

    /// `+ - * / // % **`, with Python's meaning.
    pub(super) fn calculate(&self, operator: BinOpKind, other: &Self) -> Outcome<Self> {
        let divides = matches!(operator, BinOpKind::Div | BinOpKind::FloorDiv | BinOpKind::Rem);
        if divides && other.is_zero() {
            return Err("division by zero".to_owned());
        }
        if let (Self::Whole(left), Self::Whole(right)) = (self, other)
            && let Some(exact) = exactly(*left, operator, *right)
        {
            return Ok(Self::Whole(exact));
        }
        let (left, right) = (self.real(), other.real());
        let result = match operator {
            BinOpKind::Add => left + right,
            BinOpKind::Sub => left - right,
            BinOpKind::Mul => left * right,
            BinOpKind::Div => left / right,
            BinOpKind::FloorDiv => (left / right).floor(),
            BinOpKind::Rem => left - right * (left / right).floor(),
            _ => left.powf(right),
        };
        Self::computed(result)
    }
}

/// The exact result; `None` if it is no whole number or does not fit.
fn exactly(left: i128, operator: BinOpKind, right: i128) -> Option<i128> {
    // Rust rounds a quotient towards zero, Python down: they differ where a remainder has the divisor's other sign.
    let rounds_up = |remainder: i128| remainder != 0 && (remainder < 0) != (right < 0);
    match operator {
        BinOpKind::Add => left.checked_add(right),
        BinOpKind::Sub => left.checked_sub(right),
        BinOpKind::Mul => left.checked_mul(right),
        BinOpKind::FloorDiv => {
            left.checked_div(right).map(|quotient| quotient - i128::from(rounds_up(left.wrapping_rem(right))))
        }
        BinOpKind::Rem => left
            .checked_rem(right)
            .map(|remainder| if rounds_up(remainder) { remainder + right } else { remainder }),
        BinOpKind::Pow => left.checked_pow(u32::try_from(right).ok()?),
        _ => None,
    }
}
