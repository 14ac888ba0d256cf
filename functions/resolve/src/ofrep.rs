//! OFREP 0.3, by which clients of OpenFeature evaluate flags elsewhere: a prompt is a flag, and rendered it is its value.

pub(crate) mod all;
mod context;
mod flag;
pub(crate) mod one;
mod refusal;
