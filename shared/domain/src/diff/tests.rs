//! Tests of the difference.
