//! Skeleton.
use serde::{Serialize,Deserialize};
/// Skeleton.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseScore { 
 /// Skeleton.
 pub passed: bool, 
 /// Skeleton.
 pub score: f64 }
