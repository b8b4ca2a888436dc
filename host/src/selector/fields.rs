//! What a selector can look at: the fields, their kinds, and the help that people are shown.

/// A field of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // Each is explained in FIELDS.
pub enum Field {
    Id,
    Name,
    Hostname,
    Tag,
    Os,
    OsVersion,
    Arch,
    Kernel,
    State,
    Online,
    AgentVersion,
    Address,
    Cpus,
    Memory,
    LastSeen,
    Created,
    Updates,
    Security,
    Needs,
    Notes,
    Has,
    Virtual,
    Package,
    Service,
    Port,
    User,
    Role,
    CertExpires,
    Uptime,
    CpuPercent,
    CpuLoad1,
    MemoryPercent,
    SwapPercent,
    DiskPercent,
    DiskInodes,
    Temperature,
    Search,
}

/// Which values a field has, and so which tests it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A machine's id, whole.
    Id,
    /// Text; `*` and `?` in patterns, ASCII letters in either case.
    Text,
    /// A version: a pattern, or compared as versions are.
    Version,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// An address, a pattern or a network.
    Address,
    /// A number with up to three decimals.
    Number,
    /// A size, with a unit such as `GiB`.
    Bytes,
    /// A moment in the past: a date, or how long ago.
    Past,
    /// A moment ahead: a date, or how soon.
    Ahead,
    /// A length of time.
    Span,
    /// A package: its name, and perhaps its version.
    Package,
    /// A service: its name, and perhaps one of these states.
    Service(&'static [&'static str]),
    /// The name of a saved search.
    Search,
}

/// A field and its help.
#[derive(Debug)]
pub struct Spec {
    /// The field.
    pub field: Field,
    /// As it is written.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it is.
    pub help: &'static str,
    /// Terms to learn from.
    pub examples: &'static [&'static str],
}

const fn spec(
    field: Field,
    name: &'static str,
    kind: Kind,
    help: &'static str,
    examples: &'static [&'static str],
) -> Spec {
    Spec { field, name, kind, help, examples }
}

/// Every field, in the order in which help shows them.
pub const FIELDS: &[Spec] = &[
    spec(
        Field::Name,
        "name",
        Kind::Text,
        "Name of the machine. A word alone finds names that contain it.",
        &["name:web-*", "web"],
    ),
    spec(Field::Hostname, "hostname", Kind::Text, "Host name, as the machine says.", &["hostname:*.lab"]),
    spec(Field::Tag, "tag", Kind::Text, "A tag of the machine.", &["tag:web", "tag:web,db", "tag:env/*"]),
    spec(
        Field::Os,
        "os",
        Kind::Text,
        "Operating system: family, distribution or full name.",
        &["os:debian,ubuntu", "os:linux"],
    ),
    spec(
        Field::OsVersion,
        "os.version",
        Kind::Version,
        "Version of the operating system.",
        &["os.version:12.*", "os.version>=13"],
    ),
    spec(Field::Kernel, "kernel", Kind::Text, "Kernel release.", &["kernel:6.1.*"]),
    spec(Field::Arch, "arch", Kind::Text, "Architecture.", &["arch:x86_64,aarch64"]),
    spec(
        Field::State,
        "state",
        Kind::Choice(&["pending", "approved", "rejected"]),
        "Whether the machine belongs to the fleet.",
        &["state:pending"],
    ),
    spec(
        Field::Online,
        "online",
        Kind::Choice(&["yes", "no"]),
        "Whether its agent is connected.",
        &["online:no"],
    ),
    spec(
        Field::Address,
        "address",
        Kind::Address,
        "An address of the machine; networks as `10.0.0.0/8`.",
        &["address:10.1.0.0/16", "address:192.168.7.*", "address:fd00::/8"],
    ),
    spec(Field::Cpus, "cpus", Kind::Number, "Processors.", &["cpus>=8", "cpus:2..4"]),
    spec(Field::Memory, "memory", Kind::Bytes, "Memory.", &["memory>16GiB"]),
    spec(
        Field::LastSeen,
        "last_seen",
        Kind::Past,
        "Last sign of life: how long ago, or when.",
        &["last_seen<2d", "last_seen>30d", "last_seen>2026-01-01"],
    ),
    spec(
        Field::Created,
        "created",
        Kind::Past,
        "When the machine asked to join: how long ago, or when.",
        &["created<7d", "created>2026-01-01", "created:2026-01-01..2026-02-01"],
    ),
    spec(
        Field::AgentVersion,
        "agent.version",
        Kind::Version,
        "Version of the agent.",
        &["agent.version<1.4", "agent.version:1.4.*"],
    ),
    spec(
        Field::Updates,
        "updates",
        Kind::Number,
        "Updates that are available.",
        &["updates>0", "updates:1..10"],
    ),
    spec(Field::Security, "security", Kind::Number, "Security updates that are available.", &["security>0"]),
    spec(
        Field::Needs,
        "needs",
        Kind::Choice(&["reboot", "update", "security"]),
        "What the machine waits for: a restart, an update, a security update.",
        &["needs:reboot", "needs:security,reboot"],
    ),
    spec(Field::Notes, "notes", Kind::Text, "The machine's notes.", &["notes:*printer*"]),
    spec(Field::Has, "has", Kind::Text, "An inventory section that the host has.", &["has:packages"]),
    spec(
        Field::Package,
        "package",
        Kind::Package,
        "An installed package, and perhaps its version, compared as Debian compares versions.",
        &["package:nginx*", "package:openssl<3.0.11", "package:bash=5.2*"],
    ),
    spec(
        Field::Service,
        "service",
        Kind::Service(SERVICE_STATES),
        "A service, and perhaps its state.",
        &["service:nginx", "service:*=failed"],
    ),
    spec(
        Field::Port,
        "port",
        Kind::Number,
        "A port that something listens on.",
        &["port:22,443", "port:8000..8999"],
    ),
    spec(Field::User, "user", Kind::Text, "An account of the machine.", &["user:postgres"]),
    spec(Field::Role, "role", Kind::Text, "What the machine is for, as found there.", &["role:web_server"]),
    spec(
        Field::CertExpires,
        "cert.expires",
        Kind::Ahead,
        "When one of its certificates ends: how soon, or when. What has ended counts as sooner than all.",
        &["cert.expires<30d", "cert.expires<2026-12-31"],
    ),
    spec(
        Field::Virtual,
        "virtual",
        Kind::Text,
        "What the machine runs inside of; nothing on real hardware.",
        &["virtual:kvm", "not virtual:*"],
    ),
    spec(Field::Uptime, "uptime", Kind::Span, "How long the machine has run.", &["uptime>90d"]),
    spec(
        Field::CpuPercent,
        "cpu.percent",
        Kind::Number,
        "Use of its processors; this and the figures below are at most ten minutes old.",
        &["cpu.percent>90"],
    ),
    spec(Field::CpuLoad1, "cpu.load1", Kind::Number, "Load over one minute.", &["cpu.load1>4"]),
    spec(Field::MemoryPercent, "memory.percent", Kind::Number, "Memory in use.", &["memory.percent>90"]),
    spec(Field::SwapPercent, "swap.percent", Kind::Number, "Swap in use.", &["swap.percent>50"]),
    spec(Field::DiskPercent, "disk.percent", Kind::Number, "Its fullest file system.", &["disk.percent>=90"]),
    spec(
        Field::DiskInodes,
        "disk.inodes",
        Kind::Number,
        "Its file system with most inodes in use, in percent.",
        &["disk.inodes>90"],
    ),
    spec(
        Field::Temperature,
        "temperature",
        Kind::Number,
        "Its hottest sensor, in degrees Celsius.",
        &["temperature>80"],
    ),
    spec(Field::Id, "id", Kind::Id, "Id of the machine.", &["id:01890a5d-ac96-774b-bcce-b302099a8057"]),
    spec(
        Field::Search,
        "search",
        Kind::Search,
        "Machines that a saved search finds.",
        &["search:web-servers", "not search:lab"],
    ),
];

/// States of services, as inventories name them.
const SERVICE_STATES: &[&str] = &["running", "stopped", "exited", "failed", "starting", "stopping"];

/// Other names of fields.
const ALIASES: &[(&str, &str)] =
    &[("group", "search"), ("ip", "address"), ("host", "hostname"), ("tags", "tag"), ("cpu", "cpus")];

impl Field {
    /// The field of this name.
    pub fn named(name: &str) -> Option<Self> {
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        FIELDS.iter().find(|s| s.name == name).map(|s| s.field)
    }

    /// Name, kind and help.
    pub fn spec(self) -> &'static Spec {
        FIELDS.iter().find(|s| s.field == self).expect("a test looks that every field has its line")
    }
}

impl Kind {
    /// Operators that the kind takes.
    pub fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Version | Self::Number | Self::Bytes => &[":", "!=", "<", "<=", ">", ">="],
            Self::Span => &["<", "<=", ">", ">="],
            Self::Past | Self::Ahead => &[":", "<", "<=", ">", ">="],
            _ => &[":", "!="],
        }
    }

    /// What a value looks like.
    pub fn expected(self) -> String {
        match self {
            Self::Id => "a machine's id".into(),
            Self::Text => "text, with `*` and `?` for what may differ".into(),
            Self::Version => "a version such as `12.4`".into(),
            Self::Choice(words) => words.join(" or "),
            Self::Address => {
                "an address, a pattern such as `10.1.*`, or a network such as `10.1.0.0/16`".into()
            }
            Self::Number => "a number with at most three decimals".into(),
            Self::Bytes => "a size such as `16GiB`".into(),
            Self::Past => "how long ago, such as `2d`, or a date such as `2026-01-31`".into(),
            Self::Ahead => "how soon, such as `30d`, or a date such as `2026-01-31`".into(),
            Self::Span => "a length of time such as `90d`".into(),
            Self::Package => "a package such as `nginx*`, `openssl<3.0.11` or `bash=5.2*`".into(),
            Self::Service(states) => {
                format!("a service such as `nginx`, or with its state, one of {}", states.join(", "))
            }
            Self::Search => "the name of a saved search".into(),
        }
    }

    /// The kind's name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Text => "text",
            Self::Version => "version",
            Self::Choice(_) => "choice",
            Self::Address => "address",
            Self::Number => "number",
            Self::Bytes => "size",
            Self::Past | Self::Ahead => "time",
            Self::Span => "duration",
            Self::Package => "package",
            Self::Service(_) => "service",
            Self::Search => "search",
        }
    }
}
