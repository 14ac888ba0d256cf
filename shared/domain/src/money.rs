//! Skeleton.
use serde::{Serialize,Deserialize};
/// Skeleton.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usd(i64);
impl std::ops::AddAssign for Usd { fn add_assign(&mut self, o: Self) { self.0 += o.0; } }
