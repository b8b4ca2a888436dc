//! Every figure: name, unit, meaning, and the column of `machine_metrics` that holds its newest value.

use super::model::Figure;

/// Name, unit, column (empty when the newest value has none), meaning.
const FIGURES: &[(&str, &str, &str, &str)] = &[
    ("cpu.percent", "percent", "cpu_percent", "Processor use; with a part, of one processor."),
    ("load1", "count", "load1", "Load average over one minute."),
    ("load5", "count", "load5", "Load average over five minutes."),
    ("load15", "count", "load15", "Load average over fifteen minutes."),
    ("memory.total_bytes", "bytes", "memory_total_bytes", "Memory."),
    ("memory.available_bytes", "bytes", "memory_available_bytes", "Memory that programs could still get."),
    ("memory.used_percent", "percent", "memory_used_percent", "Memory that is not available."),
    ("swap.used_percent", "percent", "swap_used_percent", "Swap in use."),
    ("disk.used_percent", "percent", "disk_used_percent", "The fullest file system; with a part, that one."),
    (
        "disk.inodes_percent",
        "percent",
        "disk_inodes_percent",
        "Inodes in use, where most are; with a part, there.",
    ),
    ("disk.read_bps", "bytes_per_second", "disk_read_bps", "Read from disks."),
    ("disk.write_bps", "bytes_per_second", "disk_write_bps", "Written to disks."),
    ("net.received_bps", "bytes_per_second", "net_received_bps", "Received; with a part, by one interface."),
    ("net.sent_bps", "bytes_per_second", "net_sent_bps", "Sent; with a part, by one interface."),
    (
        "pressure.cpu_percent",
        "percent",
        "pressure_cpu_percent",
        "Time in which some program waited for a processor.",
    ),
    (
        "pressure.memory_percent",
        "percent",
        "pressure_memory_percent",
        "Time in which some program waited for memory.",
    ),
    (
        "pressure.io_percent",
        "percent",
        "pressure_io_percent",
        "Time in which some program waited for a disk.",
    ),
    ("temperature_c", "celsius", "temperature_c", "The hottest sensor."),
    ("uptime_s", "seconds", "uptime_s", "Time since the machine started."),
    ("processes", "count", "processes", "Processes."),
    ("users", "count", "users", "Users who are logged in."),
];

/// All of them.
pub fn all() -> Vec<Figure> {
    let figure =
        |&(name, unit, column, description): &(&'static str, &'static str, &'static str, &'static str)| {
            Figure { name, unit, description, ranked: !column.is_empty() }
        };
    FIGURES.iter().map(figure).collect()
}

/// The column with the newest value of a figure.
pub fn column(name: &str) -> Option<&'static str> {
    FIGURES.iter().find(|figure| figure.0 == name).map(|figure| figure.2).filter(|column| !column.is_empty())
}
