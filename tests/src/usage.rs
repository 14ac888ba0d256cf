//! What a process uses of the machine, as the kernel counts it.

use std::{fs, io, time::Duration};

/// Where the kernel tells things of a process, behind its name.
const SESSION: usize = 3;
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;

/// User and system time of a process so far, in hundredths of a second.
pub fn cpu_of(id: u32) -> io::Result<Duration> {
    let told = told_of(id)?;
    let ticks = |at: usize| told.get(at)?.parse::<u64>().ok();
    let ticks = ticks(USER_TIME).zip(ticks(SYSTEM_TIME)).map(|(user, system)| user + system);
    let ticks = ticks.ok_or_else(|| io::Error::other(format!("nobody knows the time of process {id}")))?;
    Ok(Duration::from_millis(10 * ticks))
}

/// The processes of a session, which bears the id of the process that began it.
pub fn session_of(id: u32) -> io::Result<Vec<u32>> {
    let id = id.to_string();
    // One that ends meanwhile is of no session.
    let is_of_it = |process: &u32| told_of(*process).is_ok_and(|told| told.get(SESSION) == Some(&id));
    let names = fs::read_dir("/proc")?.map(|entry| Ok(entry?.file_name().to_string_lossy().parse().ok()));
    let processes = names.collect::<io::Result<Vec<Option<u32>>>>()?.into_iter().flatten();
    Ok(processes.filter(is_of_it).collect())
}

/// What the kernel tells of a process, behind its name.
fn told_of(id: u32) -> io::Result<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let behind = stat.rsplit(')').next().unwrap_or_default();
    Ok(behind.split_whitespace().map(str::to_owned).collect())
}

/// The most that a process ever held resident, in KiB.
pub fn peak_memory_of(id: u32) -> io::Result<u64> {
    memory(id, "VmHWM:")
}

/// What a process holds resident, in KiB.
pub fn memory_of(id: u32) -> io::Result<u64> {
    memory(id, "VmRSS:")
}

fn memory(id: u32, name: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let held = status.lines().find_map(|line| line.strip_prefix(name));
    let held = held.and_then(|held| held.split_whitespace().next()?.parse().ok());
    held.ok_or_else(|| io::Error::other(format!("nobody knows the memory of process {id}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_of_a_process_is_an_error_and_not_nothing() {
        let own = std::process::id();
        assert!(peak_memory_of(own).unwrap() >= memory_of(own).unwrap() && memory_of(own).unwrap() > 0);
        assert!(cpu_of(own).is_ok());
        assert!(peak_memory_of(u32::MAX).is_err() && cpu_of(u32::MAX).is_err());
    }

    #[test]
    fn a_session_has_its_processes_and_no_others() {
        let own = std::process::id();
        let session = told_of(own).unwrap()[SESSION].parse().unwrap();
        assert!(session_of(session).unwrap().contains(&own));
        assert_eq!(session_of(u32::MAX).unwrap(), [0; 0]);
    }
}
