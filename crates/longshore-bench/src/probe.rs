//! What a server uses: processor time and memory, from `/proc`, its children counted in (nginx works in children).

use std::fs;

/// What one process and its children use at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Use {
    /// Seconds of processor time since the start.
    pub(crate) cpu: f64,
    /// Bytes of anonymous memory: heaps and stacks, not the page cache.
    pub(crate) anonymous: u64,
    /// Bytes in memory, files that are mapped included.
    pub(crate) resident: u64,
}

/// The processes of one server, found once.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    processes: Vec<u32>,
    ticks: f64,
}

impl Probe {
    /// Looks at `process` and the children it has now.
    pub(crate) fn of(process: u32) -> Self {
        let mut processes = vec![process];
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes.extend(
            all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
                .filter(|pid| stat(*pid).is_some_and(|stat| parent(&stat) == Some(process))),
        );
        #[expect(clippy::cast_precision_loss, reason = "it is 100")]
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        Self { processes, ticks }
    }

    /// The server's process and its children.
    pub(crate) fn processes(&self) -> &[u32] {
        &self.processes
    }

    /// What they use together now; a process that is gone uses nothing.
    pub(crate) fn now(&self) -> Use {
        let mut sum = Use::default();
        for pid in &self.processes {
            if let Some(stat) = stat(*pid) {
                sum.cpu += ticks(&stat) / self.ticks;
            }
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            sum.anonymous += kilobytes(&status, "RssAnon:") << 10;
            sum.resident += kilobytes(&status, "VmRSS:") << 10;
        }
        sum
    }
}

/// The fields of `/proc/PID/stat` after the command, which may hold spaces and brackets itself.
fn stat(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.to_owned())
}

fn parent(stat: &str) -> Option<u32> {
    stat.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time, fields 14 and 15 of the whole line.
fn ticks(stat: &str) -> f64 {
    let field = |at: usize| {
        stat.split_whitespace()
            .nth(at)
            .and_then(|text| text.parse::<f64>().ok())
    };
    field(11).unwrap_or_default() + field(12).unwrap_or_default()
}

fn kilobytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_whatever_the_program_is_called() {
        let line = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 5 0";
        let after = line.rsplit_once(')').unwrap().1;
        assert_eq!((parent(after), ticks(after)), (Some(1), 300.0));
    }

    #[test]
    fn memory_is_read_from_the_line_that_names_it() {
        let status = "Name:\tx\nVmRSS:\t  2048 kB\nRssAnon:\t     512 kB\n";
        assert_eq!(
            (kilobytes(status, "RssAnon:"), kilobytes(status, "VmSwap:")),
            (512, 0)
        );
    }

    #[test]
    fn a_busy_process_is_seen_to_be_busy() {
        let probe = Probe::of(std::process::id());
        let before = probe.now();
        let mut sum = 0_u64;
        while probe.now().cpu <= before.cpu {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(probe.now().anonymous > 0);
    }
}
