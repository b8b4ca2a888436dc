//! Which variant this library is: decided when it is built, as a real engine's faults are.

/// A fault before the engine serves, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // Each build constructs one.
pub enum Variant {
    /// Fails only on demand.
    Plain,
    /// Its second migration fails.
    Migration,
    /// Describes what its manifest does not say.
    Liar,
    /// Its self-test fails.
    SelfTest,
    /// Its constructor panics.
    Constructor,
    /// Its constructor takes ten seconds.
    Slow,
    /// Every version but 0.1.0 is unhealthy two seconds after its start.
    Unhealthy,
}

macro_rules! variants {
    ($($feature:literal => $variant:ident),*) => {
        /// The variant of this build.
        pub const VARIANT: Variant = {
            $(if cfg!(feature = $feature) { Variant::$variant } else)* { Variant::Plain }
        };

        /// The id without prefix, for permissions: `misbehaving` or `misbehaving_<feature>`.
        pub const ID: &str = {
            $(if cfg!(feature = $feature) { concat!("misbehaving_", $feature) } else)* { "misbehaving" }
        };

        /// The manifest of this build.
        pub const MANIFEST: &str = {
            $(if cfg!(feature = $feature) { include_str!(concat!("../variants/", $feature, ".toml")) } else)*
            { include_str!("../plugin.toml") }
        };
    };
}

variants!(
    "migration" => Migration, "liar" => Liar, "selftest" => SelfTest, "constructor" => Constructor,
    "slow" => Slow, "unhealthy" => Unhealthy
);
