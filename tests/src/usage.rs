//! What a process uses of the machine.

use std::time::Duration;

/// User and system time of a process so far, in hundredths of a second as the kernel counts it; none of one that is
/// not there.
pub fn cpu_of(id: u32) -> Duration {
    let ticks = std::fs::read_to_string(format!("/proc/{id}/stat")).ok().and_then(|stat| {
        let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
        let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(user + system)
    });
    Duration::from_millis(10 * ticks.unwrap_or_default())
}
