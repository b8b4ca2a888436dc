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
    spec(Field::Id, "id", Kind::Id, "Id of the machine.", &["id:01890a5d-ac96-774b-bcce-b302099a8057"]),
    spec(
        Field::Search,
        "search",
        Kind::Search,
        "Machines that a saved search finds.",
        &["search:web-servers", "not search:lab"],
    ),
];

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
            Self::Past => &[":", "<", "<=", ">", ">="],
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
            Self::Past => "time",
            Self::Search => "search",
        }
    }
}
