//! What a process uses of the machine, as the kernel counts it.

use std::{fs, io, time::Duration};

/// User and system time of a process so far, in hundredths of a second.
pub fn cpu_of(id: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let ticks = stat.rsplit(')').next().and_then(|stat| {
        let mut fields = stat.split_whitespace().skip(11);
        let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(user + system)
    });
    let ticks = ticks.ok_or_else(|| io::Error::other(format!("nobody knows the time of process {id}")))?;
    Ok(Duration::from_millis(10 * ticks))
}

/// The most that a process ever held resident, in KiB.
pub fn peak_memory_of(id: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
    peak.ok_or_else(|| io::Error::other(format!("nobody knows the memory of process {id}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_of_a_process_is_an_error_and_not_nothing() {
        let own = std::process::id();
        assert!(peak_memory_of(own).unwrap() > 0 && cpu_of(own).is_ok());
        assert!(peak_memory_of(u32::MAX).is_err() && cpu_of(u32::MAX).is_err());
    }
}
